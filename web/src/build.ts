/** The panel in which admins ask for a district and see how far it is. */

import { requestOf, whereabouts, type Offer } from "./district";
import { el } from "./dom";
import type { Net } from "./net";
import type { Building, Done } from "./wire.generated";

export class Build {
  readonly root = el("div", { class: "build" });
  private readonly kind = el("select", { id: "build-kind" });
  private readonly seed = el("input", { id: "build-seed", type: "number", min: "0", step: "1", value: "1", required: "" });
  private readonly size = el("input", { id: "build-size", type: "number", step: "any" });
  private readonly tags = el("div", { class: "tags", role: "group", "aria-label": "Wishes" });
  private readonly where = el("select", { id: "build-where" });
  private readonly east = el("input", { id: "build-east", type: "number", step: "any", "aria-label": "Metres to the east" });
  private readonly north = el("input", { id: "build-north", type: "number", step: "any", "aria-label": "Metres to the north" });
  private readonly point = el("div", { class: "point" }, this.east, this.north);
  private readonly form = el("form", { autocomplete: "off" });
  private readonly state = el("div", { class: "state", role: "status" });
  private readonly doing = el("p");
  private readonly bar = el("progress", { max: "1", "aria-label": "How much is done" });
  private readonly cancel = el("button", { type: "button" }, "Give it up");
  private offer: Offer | null = null;
  /** Id of the request under way, 0 for none. */
  private asked = 0;
  private readonly own = new Set<number>();

  /**
   * @param standing - Where the visitor is and looks, server frame.
   */
  constructor(
    private readonly net: Net,
    private readonly standing: () => { x: number; y: number; yaw: number },
  ) {
    this.where.append(el("option", { value: "free" }, "Beside what is there"), el("option", { value: "point" }, "At a point"));
    const submit = el("button", { type: "submit" }, "Build it");
    const row = (label: string, field: HTMLElement) => el("div", { class: "field" }, el("label", { for: field.id }, label), field);
    this.form.append(
      row("What", this.kind),
      row("Seed", this.seed),
      row("Size, metres", this.size),
      this.tags,
      row("Where", this.where),
      this.point,
      el("div", { class: "actions" }, submit),
    );
    this.state.append(this.doing, this.bar, this.cancel);
    this.root.append(this.form, this.state);
    this.state.hidden = this.point.hidden = true;
    this.bar.hidden = this.cancel.hidden = true;
    this.kind.addEventListener("change", () => this.chosen());
    this.where.addEventListener("change", () => this.placed());
    this.cancel.addEventListener("click", () => void this.note(this.net.ask({ t: "abandon" })));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  /** Asks the server once what it can build. */
  async open(): Promise<void> {
    if (this.offer) return;
    try {
      this.offer = (await (await fetch("districts")).json()) as Offer;
      this.kind.replaceChildren(...Object.keys(this.offer).map((kind) => el("option", { value: kind }, kind)));
      this.kind.value = "cafe";
      this.chosen();
    } catch {
      this.tell("The server does not say what it can build.");
    }
  }

  /** Takes the server's word on how far it is; returns what to tell when it stands. */
  took(message: Building): string {
    this.asked = message.id;
    this.own.add(message.id);
    this.state.hidden = false;
    const stands = message.at !== null;
    const text = stands ? whereabouts(message, this.standing()) : `${message.doing.charAt(0).toUpperCase()}${message.doing.slice(1)} …`;
    this.doing.textContent = text;
    this.bar.value = message.share;
    this.busy(!stands);
    return stands ? text : "";
  }

  /** Takes the answer to a request of this panel; returns whether it was one. */
  answered({ id, ok, error }: Done): boolean {
    if (!this.own.delete(id)) return false;
    if (!ok) this.tell(error ?? "That did not work.");
    if (id === this.asked) {
      this.asked = 0;
      this.busy(false);
    }
    return true;
  }

  private ask(): void {
    const tags = [...this.tags.querySelectorAll<HTMLButtonElement>("[aria-pressed=true]")].map((each) => each.value);
    const at: [string, string] | null = this.where.value === "point" ? [this.east.value, this.north.value] : null;
    const request = requestOf({ kind: this.kind.value, seed: this.seed.value, tags, size: this.size.value, at });
    if (typeof request === "string") return this.tell(request);
    const id = this.net.ask({ t: "build", ...request });
    if (!id) return this.tell("Not connected; that was not sent.");
    this.note(id);
    this.tell("Asked for …");
  }

  private note(id: number): void {
    if (id) this.own.add(id);
  }

  private tell(sentence: string): void {
    this.state.hidden = false;
    this.doing.textContent = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  }

  private busy(busy: boolean): void {
    this.bar.hidden = this.cancel.hidden = !busy;
    this.form.toggleAttribute("inert", busy);
  }

  /** Shows the wishes and sizes of the chosen kind. */
  private chosen(): void {
    const offer = this.offer?.[this.kind.value];
    if (!offer) return;
    const [usual, least, greatest] = offer.size;
    Object.assign(this.size, { placeholder: String(usual), min: String(least), max: String(greatest), value: "" });
    this.tags.replaceChildren(
      ...Object.entries(offer.tags).map(([tag, does]) => {
        const button = el("button", { type: "button", value: tag, title: does, "aria-pressed": "false" }, tag);
        button.addEventListener("click", () => button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true")));
        return button;
      }),
    );
  }

  /** Shows the point; it begins 40 metres ahead. */
  private placed(): void {
    this.point.hidden = this.where.value !== "point";
    if (this.point.hidden || this.east.value) return;
    const { x, y, yaw } = this.standing();
    this.east.value = (x + 40 * Math.cos(yaw)).toFixed(0);
    this.north.value = (y + 40 * Math.sin(yaw)).toFixed(0);
  }
}
