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
  ["B", "build a district, if you are an admin"],
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

/** The help panel's content; what is at hand comes first. */
export function help(attribution: string[], level: string, touch: boolean): Node[] {
  const rows = KEYS.flatMap(([keys, does]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, does)]);
  const keys = el("dl", { class: "keys" }, ...rows);
  const fingers = el("p", {}, "Left half of the screen walks, right half looks around, two fingers zoom; tap somebody to open their mind.");
  const nodes: Node[] = touch ? [fingers, el("h3", {}, "With a keyboard"), keys] : [keys, el("h3", {}, "By touch"), fingers];
  nodes.push(el("h3", {}, "Picture"), el("p", { class: "muted" }, `Quality is ${level}; it follows what this machine can do.`));
  if (attribution.length) nodes.push(el("h3", {}, "World data"), ...attribution.map((line) => el("p", { class: "muted" }, line)));
  return nodes;
}
