/** The people panel's content: visitors first, then the nearest. */

import { el } from "./dom";

const MOST = 120;

export interface Row {
  id: number;
  title: string;
  visitor: boolean;
  /** Metres; negative when out of sight. */
  distance: number;
  colour: string;
}

/** Returns the rows in the order they are shown, at most 120. */
export function ordered(rows: Row[]): Row[] {
  const far = (row: Row) => (row.distance < 0 ? 1e6 : row.distance);
  return [...rows].sort((a, b) => Number(b.visitor) - Number(a.visitor) || far(a) - far(b)).slice(0, MOST);
}

/** A list whose entries stay the same elements while their order and distances change, so that a press always lands. */
export class Roll {
  readonly root = el("ul", { class: "people" });
  private readonly entries = new Map<number, Entry>();

  /** @param onOpen - Called with the id of whose mind was asked for. */
  constructor(private readonly onOpen: (id: number) => void) {}

  show(rows: Row[]): void {
    const shown = ordered(rows).map((row) => this.entry(row));
    const changed = shown.length !== this.root.childElementCount || shown.some((each, i) => this.root.children[i] !== each);
    if (changed) this.root.replaceChildren(...shown);
    const kept = new Set(rows.map((row) => row.id));
    for (const id of [...this.entries.keys()]) if (!kept.has(id)) this.entries.delete(id);
  }

  private entry(row: Row): HTMLElement {
    const known = this.entries.get(row.id) ?? new Entry(row, this.onOpen);
    this.entries.set(row.id, known);
    const away = row.distance < 0 ? "far away" : `${Math.round(row.distance)} m`;
    const text = row.visitor ? `visitor, ${away}` : away;
    if (known.far.textContent !== text) known.far.textContent = text;
    return known.root;
  }
}

class Entry {
  readonly root: HTMLElement;
  readonly far = el("span", { class: "far" });

  constructor({ id, title, visitor, colour }: Row, onOpen: (id: number) => void) {
    const chip = el("i", { class: "chip", "aria-hidden": "true" });
    chip.style.background = colour;
    this.root = el("li", {}, chip, el("span", { class: "who" }, title), this.far);
    if (visitor) return;
    const open = el("button", { type: "button", "aria-label": `Open the mind of ${title}` }, "Mind");
    open.addEventListener("click", () => onOpen(id));
    this.root.append(open);
  }
}
