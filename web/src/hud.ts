/** What lies over the view: connection, prompt, passing notes, and the panels for people and keys. */

import { byId, el } from "./dom";
import type { Status } from "./net";

const KEYS: [string, string][] = [
  ["W A S D", "walk, with Shift to run"],
  ["← →", "turn; drag with the mouse to look around"],
  ["E", "use what is near: sit, open, pick up, read; once more to stand up or put down"],
  ["Enter", "speak; begin with @Name to address somebody"],
  ["1 – 5", "wave, nod, cheer, point, dance"],
  ["I", "open the mind of whoever is nearest (or click them)"],
  ["P", "who is here"],
  ["T", "describe the surroundings in words"],
  ["V", "see through your own eyes, or from behind"],
  ["M", "larger map"],
  ["Esc", "close a panel"],
];

const toast = byId("toast");
let toastTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows a passing note. */
export function note(text: string, ms = 3000 + 60 * text.length): void {
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.hidden = true), ms);
}

/** Shows how the connection is. */
export function showLink(status: Status, world: string, here: number): void {
  document.body.dataset["link"] = status;
  byId("world-name").textContent = world;
  byId("people-count").textContent = String(here);
  const text = status === "open" ? `${here} here` : status === "reconnecting" ? "Reconnecting…" : "Joining…";
  const line = byId("status-text");
  if (line.textContent !== text) line.textContent = text;
}

/** Shows what E would do, or nothing. */
export function showPrompt(text: string): void {
  const prompt = byId("prompt");
  prompt.hidden = !text;
  const line = byId("prompt-text");
  if (line.textContent !== text) line.textContent = text;
}

/** The help panel's content. */
export function help(attribution: string[], level: string): Node[] {
  const rows = KEYS.flatMap(([keys, does]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, does)]);
  const nodes: Node[] = [el("dl", { class: "keys" }, ...rows)];
  nodes.push(el("h3", {}, "By touch"), el("p", {}, "Left half of the screen walks, right half looks around, two fingers zoom; tap somebody to open their mind."));
  nodes.push(el("h3", {}, "Picture"), el("p", { class: "muted" }, `Quality is ${level}; it follows what this machine can do.`));
  if (attribution.length) nodes.push(el("h3", {}, "World data"), ...attribution.map((line) => el("p", { class: "muted" }, line)));
  return nodes;
}

export interface Row {
  id: number;
  title: string;
  visitor: boolean;
  /** Metres; negative when out of sight. */
  distance: number;
  colour: string;
}

/** The people panel's content: visitors first, then the nearest. */
export function peopleList(rows: Row[], onOpen: (id: number) => void): Node[] {
  const far = (row: Row) => (row.distance < 0 ? 1e6 : row.distance);
  const sorted = [...rows].sort((a, b) => Number(b.visitor) - Number(a.visitor) || far(a) - far(b)).slice(0, 120);
  const list = el("ul", { class: "people" }, ...sorted.map((row) => personRow(row, onOpen)));
  return [list];
}

function personRow(row: Row, onOpen: (id: number) => void): HTMLElement {
  const chip = el("i", { class: "chip", "aria-hidden": "true" });
  chip.style.background = row.colour;
  const away = row.distance < 0 ? "far away" : `${Math.round(row.distance)} m`;
  const item = el("li", {}, chip, el("span", { class: "who" }, row.title), el("span", { class: "far" }, row.visitor ? `visitor, ${away}` : away));
  if (!row.visitor) {
    const open = el("button", { type: "button", "aria-label": `Open the mind of ${row.title}` }, "Mind");
    open.addEventListener("click", () => onOpen(row.id));
    item.append(open);
  }
  return item;
}
