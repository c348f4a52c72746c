/** What the visitor asks for with a key, a click or a button: panels, gestures, things, and a look into a mind. */

import { Vector3, type PerspectiveCamera } from "three";
import { Build } from "./build";
import type { ViewCamera } from "./camera";
import type { Chat } from "./chat";
import type { Company } from "./company";
import { describe, type Near } from "./describe";
import { byId, byTouch, el } from "./dom";
import { Drawer } from "./drawer";
import { help, note } from "./hud";
import type { Command } from "./input";
import { inspection } from "./inspect";
import { lookOf } from "./looks";
import type { Minimap } from "./minimap";
import type { Net } from "./net";
import { NPC } from "./people";
import type { Predictor } from "./predict";
import { Roll, type Row } from "./roll";
import { OPEN, promptFor, type Things } from "./things";
import type { Building, Done, Inspected, Thing } from "./wire.generated";

const INSPECT_MS = 900;
/** The role that may build districts. */
export const ADMIN = 2;
const PICK_PX = 46;
const PICK_REACH_M = 45;

/** The parts of the page that wishes are about. */
export interface Parts {
  net: Net;
  own: Predictor;
  company: Company;
  things: Things;
  chat: Chat;
  view: ViewCamera;
  minimap: Minimap;
  camera: PerspectiveCamera;
  canvas: HTMLCanvasElement;
  /** Whether the visitor is in the world. */
  present(): boolean;
  world(): string;
  /** What the visitor may do: 0 visitor, 1 builder, 2 admin. */
  role(): number;
  /** Lines about data and quality for the help panel. */
  credits(): { attribution: string[]; quality: string };
}

export class Wishes {
  private readonly drawer = new Drawer();
  private readonly roll = new Roll((id) => this.inspect(id));
  private readonly build: Build;
  private inspected: { entity: number; ask: number } | null = null;
  private inspectAt = 0;

  constructor(private readonly parts: Parts) {
    const press = (id: string, command: Command) => byId(id).addEventListener("click", () => this.wish(command));
    this.build = new Build(parts.net, () => parts.own);
    press("build-button", "build");
    press("people-button", "people");
    press("describe-button", "describe");
    press("help-button", "help");
    press("prompt-button", "use");
    for (const button of document.querySelectorAll<HTMLElement>("[data-gesture]")) {
      button.addEventListener("click", () => this.wish({ gesture: Number(button.dataset["gesture"]) }));
    }
  }

  wish(command: Command): void {
    if (!this.parts.present()) return;
    if (typeof command === "object") this.parts.net.ask({ t: "gesture", emote: command.gesture });
    else this.named(command);
  }

  /** Opens the mind of whoever is drawn there, CSS pixels of the canvas. */
  pick(x: number, y: number): void {
    const { camera, canvas, company } = this.parts;
    const point = new Vector3();
    let best = -1;
    let least = PICK_PX;
    for (const each of company.drawn) {
      point.set(each.x, each.z + 1.1, -each.y).project(camera);
      if (each.own || each.distance > PICK_REACH_M || point.z > 1) continue;
      const px = (point.x * 0.5 + 0.5) * canvas.clientWidth - x;
      const py = (0.5 - point.y * 0.5) * canvas.clientHeight - y;
      const off = Math.hypot(px, py * 0.6);
      if (off < least) [best, least] = [each.id, off];
    }
    if (best >= 0) this.inspect(best);
  }

  /** Keeps open panels and the prompt up to date; a few times a second. */
  refresh(now: number): void {
    if (this.inspected && now - this.inspectAt > INSPECT_MS) this.askInspect(now);
    if (this.drawer.showing === "people" && !this.drawer.busy) this.showPeople();
  }

  /** What E would do now; a null thing lets the server stand us up or empty our hand. */
  usable(): { prompt: string; thing: Thing | null } | null {
    const { company, things, own } = this.parts;
    if (company.seated) return { prompt: "Stand up", thing: null };
    const thing = things.nearest(own, company.level);
    const held = things.heldBy(company.entity);
    if (held && thing?.interaction !== OPEN) return { prompt: `Put down ${held.title || held.name}`, thing: null };
    return thing && { prompt: promptFor(thing), thing };
  }

  /** Shows how far a district is. */
  showBuilding(message: Building): void {
    const stands = this.build.took(message);
    if (stands && this.drawer.showing !== "build") note(stands);
  }

  /** Takes the answer to a request of a panel; returns whether it was one. */
  answered(message: Done): boolean {
    return this.build.answered(message);
  }

  showInspected(answer: Inspected): void {
    if (!this.inspected || answer.id !== this.inspected.ask) return;
    const content = inspection(answer);
    if (this.drawer.showing === "mind") return this.drawer.update("mind", content);
    const title = answer.title || this.parts.company.nameOf(this.inspected.entity)?.title || "Somebody";
    const talk = el("button", { type: "button" }, `Talk to ${title}`);
    talk.addEventListener("click", () => this.parts.chat.focus(`@${title} `));
    const actions = answer.mind && answer.mind.driver !== "person" ? [talk] : [];
    this.drawer.open("mind", title, content, { tall: true, actions, onClose: () => (this.inspected = null) });
  }

  private named(command: Exclude<Command, object>): void {
    const { net, chat, view, minimap } = this.parts;
    switch (command) {
      case "use":
        return void net.ask({ t: "use", thing: this.usable()?.thing?.name ?? null });
      case "chat":
        return chat.focus();
      case "people":
        return this.drawer.showing === "people" ? void this.drawer.close() : this.showPeople();
      case "help":
        return this.drawer.showing === "help" ? void this.drawer.close() : this.showHelp();
      case "inspect":
        return this.inspectNearest();
      case "describe":
        return this.describe();
      case "build":
        return this.drawer.showing === "build" ? void this.drawer.close() : this.showBuild();
      case "person":
        return view.togglePerson();
      case "map":
        return minimap.toggle();
      case "escape":
        return void this.drawer.close();
    }
  }

  private showHelp(): void {
    const { attribution, quality } = this.parts.credits();
    this.drawer.open("help", "How to move", help(attribution, quality, byTouch()), { tall: true });
  }

  private showBuild(): void {
    if (this.parts.role() < ADMIN) return;
    void this.build.open();
    this.drawer.open("build", "Build a district", [this.build.root], { tall: true });
  }

  private showPeople(): void {
    const { company } = this.parts;
    const away = new Map(company.near().map((each) => [each.id, each.distance]));
    const rows: Row[] = [];
    for (const { id, title, kind, look } of company.people.all()) {
      if (id === company.entity) continue;
      const colour = `#${lookOf(look).shirt.getHexString()}`;
      rows.push({ id, title, visitor: kind !== NPC, distance: away.get(id) ?? -1, colour });
    }
    this.roll.show(rows);
    if (this.drawer.showing !== "people") this.drawer.open("people", "Who is here", [this.roll.root]);
  }

  private describe(): void {
    const { company, things, own } = this.parts;
    const people = company.near().map((each) => ({ ...each, doing: doing(each.posture, each.speed) }));
    const around = things.list.map(({ title, name, position: [x, y] }): Near => ({ title: title || name, x, y, doing: "" }));
    note(describe(this.parts.world(), own, people, around), 14_000);
  }

  private inspectNearest(): void {
    const near = this.parts.company.near();
    const nearest = near.find((each) => !each.visitor) ?? near[0];
    if (nearest) this.inspect(nearest.id);
    else note("Nobody is in sight.");
  }

  private inspect(entity: number): void {
    this.inspected = { entity, ask: 0 };
    this.askInspect(performance.now());
  }

  private askInspect(now: number): void {
    if (!this.inspected) return;
    this.inspectAt = now;
    this.inspected.ask = this.parts.net.ask({ t: "inspect", entity: this.inspected.entity });
  }
}

function doing(posture: number, speed: number): string {
  if (posture === 1) return "sitting";
  if (posture === 2) return "lying down";
  return speed > 0.3 ? "walking" : "standing";
}
