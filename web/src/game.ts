/** Everything between the connection and the picture: who is where now, and what the visitor wants. */

import { Vector3 } from "three";
import { Announcer } from "./a11y";
import { Avatars, type Drawn } from "./avatars";
import { ViewCamera } from "./camera";
import { Chat } from "./chat";
import { Clock } from "./clock";
import { TICK_HZ, type CellFrame, type Sample } from "./codec";
import { byId, byTouch, el, reducedMotion, stored, titleOf } from "./dom";
import { Drawer } from "./drawer";
import { describe, type Near } from "./describe";
import { help, note, peopleList, showLink, showPrompt, type Row } from "./hud";
import { Input, type Command } from "./input";
import { inspection } from "./inspect";
import { Tracks, type Pose } from "./interpolate";
import { JoinScreen, showFacts } from "./join";
import { Labels } from "./labels";
import { loadGlb } from "./loading";
import { lookOf } from "./looks";
import { Minimap } from "./minimap";
import { Net, type Socket, type Status } from "./net";
import { NPC, People, VISITOR_KIND } from "./people";
import { Predictor, type Truth } from "./predict";
import { Scenery } from "./scenery";
import { Shelter } from "./shelter";
import { Stage } from "./stage";
import { Steering } from "./steering";
import { OPEN, Things, promptFor } from "./things";
import { Touch } from "./touch";
import type { Inspected, ServerMessage, Thing, Welcome } from "./wire.generated";

const LOOK_RAD_PER_PX = 0.0042;
const SLOW_MS = 250;
const INSPECT_MS = 900;
const PICK_PX = 46;
/** Humanoid files that the server has. */
const BODIES = 6;

export class Game {
  readonly stage: Stage;
  readonly net: Net;
  readonly tracks = new Tracks();
  readonly clock = new Clock();
  readonly people = new People();
  readonly things = new Things();
  readonly avatars = new Avatars();
  readonly labels = new Labels();
  readonly own: Predictor;
  readonly view: ViewCamera;
  scenery: Scenery | null = null;
  entity = 0;
  world = "";
  epoch = 0;

  private readonly canvas = byId<HTMLCanvasElement>("view");
  private readonly input: Input;
  private readonly touch: Touch;
  private readonly steering: Steering;
  private readonly join: JoinScreen;
  private readonly chat: Chat;
  private readonly drawer = new Drawer();
  private readonly minimap = new Minimap();
  private readonly announcer = new Announcer();
  private readonly middle = new Vector3();
  private readonly focus = new Vector3();
  private drawn: Drawn[] = [];
  private welcome: Welcome | null = null;
  private shelter: Shelter | null = null;
  private sceneTag = "";
  private inspected: { entity: number; ask: number } | null = null;
  private inspectAt = 0;
  private slowAt = 0;
  private sightAt = 0;
  private before = performance.now();

  constructor() {
    const query = new URLSearchParams(location.search);
    this.stage = new Stage(this.canvas, query.get("quality"));
    this.stage.scene.add(this.avatars.root);
    this.view = new ViewCamera(this.stage.camera);
    this.own = new Predictor((ax, ay, bx, by, z) => this.scenery?.walls.slide(ax, ay, bx, by, z) ?? { x: bx, y: by });
    const look = (dx: number, dy: number) => this.view.turn(-dx * LOOK_RAD_PER_PX, -dy * LOOK_RAD_PER_PX);
    const pick = (x: number, y: number) => this.pick(x, y);
    const zoom = (notches: number) => this.view.zoom(notches);
    this.input = new Input(this.canvas, { command: (c) => this.command(c), look, pick, zoom });
    this.touch = new Touch(this.canvas, byId("stick"), { look, pick, zoom });
    this.steering = new Steering(this.input, this.touch, this.view);
    this.net = new Net(this.handlers(), openSocket, stored("ecumene.token"));
    this.join = new JoinScreen((name) => this.net.join(name));
    this.chat = new Chat((text) => this.net.ask({ t: "say", text }) > 0 || (note("Not connected; that was not sent."), false));
    this.buttons();
    window.addEventListener("online", () => this.net.hurry());
  }

  /** Loads the files and draws from then on. */
  start(): void {
    void showFacts();
    void this.loadWorld("scene.glb");
    void this.loadBodies();
    this.stage.renderer.setAnimationLoop((now) => this.frame(now));
  }

  private handlers() {
    return {
      status: (status: Status, reason: string) => this.linkChanged(status, reason),
      welcome: (message: Welcome) => this.welcomed(message),
      message: (message: Exclude<ServerMessage, Welcome>) => this.received(message),
      frames: (frames: CellFrame[], now: number) => this.take(frames, now),
      pong: (sent: number, now: number) => this.clock.ponged(sent, now),
    };
  }

  private buttons(): void {
    byId("people-button").addEventListener("click", () => this.command("people"));
    byId("describe-button").addEventListener("click", () => this.command("describe"));
    byId("help-button").addEventListener("click", () => this.command("help"));
    byId("prompt-button").addEventListener("click", () => this.command("use"));
    for (const button of document.querySelectorAll<HTMLElement>("[data-gesture]")) {
      button.addEventListener("click", () => this.command({ gesture: Number(button.dataset["gesture"]) }));
    }
    byId("chat-text").addEventListener("focus", () => this.input.release());
  }

  // ---- connection

  private linkChanged(status: Status, reason: string): void {
    if (status === "refused") {
      this.leaveWorld();
      this.join.fail(reason);
    } else if (status === "joining") this.join.wait(reason);
    if (status === "reconnecting") this.announcer.say("The connection was lost. Reconnecting.");
    if (this.welcome) showLink(status, this.world, this.people.count);
  }

  private leaveWorld(): void {
    this.welcome = null;
    this.input.enabled = this.touch.enabled = false;
    byId("hud").hidden = true;
  }

  private welcomed(message: Welcome): void {
    const first = this.welcome === null;
    if (message.epoch !== this.epoch || !message.resumed) this.renew(message);
    this.welcome = message;
    this.world = titleOf(message.world);
    this.entity = message.entity;
    this.steering.restart();
    if (first) this.enter(message);
    else this.announcer.say("You are back.");
    if (!message.resumed && !this.isShown(message.scene)) void this.loadWorld(message.scene);
    showLink("open", this.world, this.people.count);
  }

  /** Begins anew with what a server tells that doesn't know us any more. */
  private renew(message: Welcome): void {
    this.epoch = message.epoch;
    this.tracks.clear();
    this.labels.clear();
    this.clock.reset();
    this.people.reset(message.people);
    this.things.reset(message.things);
    if (this.scenery) this.things.bind(this.scenery);
    const [x, y, z] = message.position;
    this.own.place({ x, y, z, yaw: message.yaw, free: true });
  }

  private enter(message: Welcome): void {
    this.join.done();
    byId("hud").hidden = false;
    this.input.enabled = this.touch.enabled = true;
    this.own.yaw = message.yaw;
    this.steering.face(message.yaw);
    this.canvas.focus({ preventScroll: true });
    document.title = `${this.world} · Ecumene`;
    this.announcer.say(`You are in ${this.world} with ${this.people.count} others. Press H for the keys.`);
    const keys = "W A S D to walk, drag to look around, Enter to speak, H for help.";
    const fingers = "Left thumb walks, right thumb looks around. Tap people to open their minds.";
    if (!stored("ecumene.seen").get()) note(byTouch() ? fingers : keys, 9000);
    stored("ecumene.seen").set("1");
  }

  private isShown(url: string): boolean {
    return this.sceneTag !== "" && url.includes(this.sceneTag);
  }

  private received(message: Exclude<ServerMessage, Welcome>): void {
    switch (message.t) {
      case "joined":
        this.people.add(message);
        if (message.kind === VISITOR_KIND && message.id !== this.entity) this.chat.event(`${message.title} walked in.`);
        return this.countPeople();
      case "left":
        return this.gone(message.id);
      case "said":
        return this.said(message.id, message.title, message.text);
      case "thing":
        this.things.change(message.i, message.state, message.holder, message.position);
        return;
      case "event":
        return this.happened(message.name, message.subject);
      case "done":
        if (!message.ok) note(message.error ?? "That did not work.");
        else if (message.text) note(message.text, 6000 + 60 * message.text.length);
        return;
      case "scene":
        this.things.reset(message.things);
        void this.loadWorld(message.url);
        return;
      case "inspected":
        return this.showInspected(message);
      case "closing":
        return note(message.reason);
      default:
        return;
    }
  }

  private countPeople(): void {
    showLink(this.net.status, this.world, this.people.count);
    if (this.drawer.showing === "people") this.showPeople();
  }

  private gone(id: number): void {
    const person = this.people.remove(id);
    if (person?.kind === VISITOR_KIND) this.chat.event(`${person.title} left.`);
    this.countPeople();
  }

  private said(id: number, title: string, text: string): void {
    this.labels.say(id, text, performance.now());
    this.chat.said(title, text, id === this.entity);
  }

  private happened(name: string, subject: string): void {
    if (name === "alarm") this.chat.event("An alarm rings.");
    else if (name === "bell") this.chat.event(`The bell rings: ${subject}.`);
  }

  private take(frames: CellFrame[], now: number): void {
    for (const frame of frames) {
      if (frame.epoch !== this.epoch) continue;
      this.clock.arrived(frame.tick, now);
      this.tracks.take(frame);
    }
    const last = this.tracks.byId.get(this.entity)?.last;
    if (last && last.tick === this.tracks.newest) this.reconcile(last, last.tick);
  }

  /** Compares the server's word with the prediction as it was when the input left that the word knows of. */
  private reconcile(sample: Sample, tick: number): void {
    const arrival = this.clock.arrivalOf(tick);
    if (arrival === null) return;
    const truth: Truth = { ...sample, free: sample.posture === 0 };
    this.own.reconcile(truth, arrival - this.clock.rttMs - 500 / TICK_HZ);
  }

  // ---- files

  private async loadWorld(url: string): Promise<void> {
    try {
      const { file, tag } = await loadGlb(url);
      this.scenery?.dispose();
      this.scenery = new Scenery(file.scene);
      this.shelter = new Shelter(this.scenery);
      this.sceneTag = tag;
      this.stage.scene.add(this.scenery.root);
      this.things.bind(this.scenery);
      this.survey(this.scenery);
    } catch (error) {
      note(`The world's picture could not be loaded: ${String(error)}.`);
    }
  }

  /** Loads the bodies one after another, so that the first one is there soon. */
  private async loadBodies(): Promise<void> {
    try {
      for (let variant = 0; variant < BODIES; variant++) {
        this.avatars.load((await loadGlb(`humanoid-${variant}.glb`)).file);
      }
    } catch (error) {
      note(`Not all people can be shown in full: ${String(error)}.`);
    }
  }

  private survey(scenery: Scenery): void {
    const { box, bounds } = scenery;
    box.getCenter(this.middle);
    this.middle.y = Math.max(0, box.min.y);
    const radius = Math.hypot(bounds.maxX - bounds.minX, bounds.maxY - bounds.minY) / 2;
    this.stage.sky.surround(this.middle, radius, box.min.y);
    this.avatars.root.visible = false;
    this.stage.sky.root.visible = false;
    this.minimap.shoot(this.stage.renderer, this.stage.scene, bounds, box.max.y, this.stage.quality.current.mapPx);
    this.avatars.root.visible = this.stage.sky.root.visible = true;
  }

  // ---- every picture

  private frame(now: number): void {
    const elapsed = now - this.before;
    this.before = now;
    const dtS = Math.min(0.1, Math.max(0.001, elapsed / 1000));
    if (this.welcome) this.live(now, dtS);
    else this.wait(dtS);
    if (now - this.sightAt > SLOW_MS) {
      this.sightAt = now;
      this.scenery?.update(this.stage.camera.position);
    }
    this.stage.judge(elapsed);
    this.stage.render(this.focus, now / 1000, this.welcome === null);
  }

  /** Circles over the world until somebody joins. */
  private wait(dtS: number): void {
    const { box } = this.scenery ?? {};
    const radius = box ? Math.hypot(box.max.x - box.min.x, box.max.z - box.min.z) / 2 : 60;
    this.focus.copy(this.middle);
    this.view.orbit(this.middle, radius, dtS, reducedMotion());
  }

  private live(now: number, dtS: number): void {
    const wish = this.steering.wish(dtS);
    const steer = this.steering.message(wish, now);
    if (steer) this.net.send({ t: "steer", ...steer });
    this.own.step(wish, dtS, now);
    this.tracks.advance(this.clock.tickAt(now) ?? 0, (this.clock.latenessMs / 1000) * TICK_HZ);
    const posture = this.tracks.byId.get(this.entity)?.last.posture ?? 0;
    this.view.follow(this.own, posture > 0, this.scenery?.walls ?? null, dtS);
    this.focus.set(this.own.x, this.own.z, -this.own.y);
    this.drawn = this.everybody(dtS);
    const { skinned, shadowPx } = this.stage.quality.current;
    this.avatars.update(this.drawn, dtS, skinned, shadowPx > 0, this.view.firstPerson);
    this.things.update(dtS, (id) => this.poseOf(id));
    this.shelter?.update(this.focus, this.level(), dtS);
    this.stage.shelter(this.shelter?.indoors ?? false, dtS);
    this.labels.update(this.drawn, this.stage.camera, this.scenery?.walls ?? null, (id) => this.nameOf(id), now);
    this.minimap.draw(this.own, this.drawn, now);
    if (now - this.slowAt > SLOW_MS) this.slow(now);
  }

  /** What need not happen in every picture. */
  private slow(now: number): void {
    this.slowAt = now;
    this.tracks.forget();
    showPrompt(this.usable()?.prompt ?? "");
    const near = this.near();
    this.announcer.update(near, now);
    const npc = near.find((each) => !each.visitor && each.distance < 6);
    const speak = byTouch() ? "Say something" : "Enter to speak";
    this.chat.hint(npc ? `${speak}, or @${npc.title.split(" ")[0]} …` : speak);
    if (this.inspected && now - this.inspectAt > INSPECT_MS) this.askInspect(now);
    if (this.drawer.showing === "people" && !this.drawer.busy) this.showPeople();
  }

  private everybody(dtS: number): Drawn[] {
    const eye = this.stage.camera.position;
    const all: Drawn[] = [];
    for (const track of this.tracks.byId.values()) {
      const own = track.id === this.entity;
      const pose: Pose = own ? this.own : track.pose;
      track.walked += pose.speed * dtS;
      all.push({
        ...{ id: track.id, x: pose.x, y: pose.y, z: pose.z, yaw: pose.yaw, speed: pose.speed },
        ...{ posture: track.last.posture, emote: track.last.emote, speaking: track.last.speaking },
        walked: track.walked,
        look: this.people.get(track.id)?.look ?? track.id,
        visitor: track.last.visitor,
        own,
        distance: Math.hypot(pose.x - eye.x, pose.y + eye.z, pose.z + 1.4 - eye.y),
      });
    }
    return all;
  }

  private level(): number {
    return this.tracks.byId.get(this.entity)?.last.level ?? 0;
  }

  private poseOf(id: number): Pose | null {
    return id === this.entity ? this.own : (this.tracks.byId.get(id)?.pose ?? null);
  }

  private nameOf(id: number): { title: string; visitor: boolean } | null {
    const person = this.people.get(id);
    return person ? { title: person.title, visitor: person.kind === VISITOR_KIND } : null;
  }

  /** Everybody else in sight of the server's frames, nearest first. */
  private near(): { id: number; title: string; visitor: boolean; distance: number; x: number; y: number; speed: number; posture: number }[] {
    const list = [];
    for (const each of this.drawn) {
      const person = this.people.get(each.id);
      if (!person || each.own) continue;
      const distance = Math.hypot(each.x - this.own.x, each.y - this.own.y);
      const { id, x, y, speed, posture } = each;
      list.push({ id, x, y, speed, posture, distance, title: person.title, visitor: person.kind === VISITOR_KIND });
    }
    return list.sort((a, b) => a.distance - b.distance);
  }

  // ---- what the visitor asks for

  private command(command: Command): void {
    if (!this.welcome) return;
    if (typeof command === "object") this.net.ask({ t: "gesture", emote: command.gesture });
    else this.named(command);
  }

  private named(command: Exclude<Command, object>): void {
    switch (command) {
      case "use":
        return void this.net.ask({ t: "use", thing: this.usable()?.thing?.name ?? null });
      case "chat":
        return this.chat.focus();
      case "people":
        return this.drawer.showing === "people" ? void this.drawer.close() : this.showPeople();
      case "help":
        return this.drawer.showing === "help" ? void this.drawer.close() : this.showHelp();
      case "inspect":
        return this.inspectNearest();
      case "describe":
        return this.describe();
      case "person":
        return this.view.togglePerson();
      case "map":
        return this.minimap.toggle();
      case "escape":
        return void this.drawer.close();
    }
  }

  /** What E would do now; a null thing lets the server stand us up or empty our hand. */
  private usable(): { prompt: string; thing: Thing | null } | null {
    if ((this.tracks.byId.get(this.entity)?.last.posture ?? 0) > 0) return { prompt: "Stand up", thing: null };
    const thing = this.things.nearest(this.own, this.level());
    const held = this.things.heldBy(this.entity);
    if (held && thing?.interaction !== OPEN) return { prompt: `Put down ${held.title || held.name}`, thing: null };
    return thing && { prompt: promptFor(thing), thing };
  }

  private showHelp(): void {
    this.drawer.open("help", "Keys", help(this.welcome?.attribution ?? [], this.stage.quality.current.name), { tall: true });
  }

  private showPeople(): void {
    const away = new Map(this.near().map((each) => [each.id, each.distance]));
    const rows: Row[] = [];
    for (const person of this.people.all()) {
      if (person.id === this.entity) continue;
      const colour = `#${lookOf(person.look).shirt.getHexString()}`;
      rows.push({ id: person.id, title: person.title, visitor: person.kind !== NPC, distance: away.get(person.id) ?? -1, colour });
    }
    const content = peopleList(rows, (id) => this.inspect(id));
    if (this.drawer.showing === "people") this.drawer.update("people", content);
    else this.drawer.open("people", "Who is here", content);
  }

  private describe(): void {
    const people: Near[] = this.near().map((each) => ({ ...each, doing: doing(each.posture, each.speed) }));
    const things = this.things.list.map((each): Near => ({ title: each.title || each.name, x: each.position[0], y: each.position[1], doing: "" }));
    const text = describe(this.world, this.own, people, things);
    note(text, 14_000);
  }

  private pick(x: number, y: number): void {
    const point = new Vector3();
    let best = -1;
    let least = PICK_PX;
    for (const each of this.drawn) {
      if (each.own || each.distance > 45) continue;
      point.set(each.x, each.z + 1.1, -each.y).project(this.stage.camera);
      if (point.z > 1) continue;
      const px = (point.x * 0.5 + 0.5) * this.canvas.clientWidth - x;
      const py = (0.5 - point.y * 0.5) * this.canvas.clientHeight - y;
      const off = Math.hypot(px, py * 0.6);
      if (off < least) [best, least] = [each.id, off];
    }
    if (best >= 0) this.inspect(best);
  }

  private inspectNearest(): void {
    const nearest = this.near()[0];
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
    this.inspected.ask = this.net.ask({ t: "inspect", entity: this.inspected.entity });
  }

  private showInspected(answer: Inspected): void {
    if (!this.inspected || answer.id !== this.inspected.ask) return;
    const content = inspection(answer);
    if (this.drawer.showing === "mind") return this.drawer.update("mind", content);
    const title = answer.title || this.people.get(this.inspected.entity)?.title || "Somebody";
    const talk = el("button", { type: "button" }, `Talk to ${title}`);
    talk.addEventListener("click", () => this.chat.focus(`@${title} `));
    const actions = answer.mind && answer.mind.driver !== "person" ? [talk] : [];
    this.drawer.open("mind", title, content, { tall: true, actions, onClose: () => (this.inspected = null) });
  }
}

function doing(posture: number, speed: number): string {
  if (posture === 1) return "sitting";
  if (posture === 2) return "lying down";
  return speed > 0.3 ? "walking" : "standing";
}

function openSocket(): Socket {
  const url = new URL("ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return new WebSocket(url) as unknown as Socket;
}
