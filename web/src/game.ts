/** Everything between the connection and the picture: the server's messages in, one picture after another out. */

import { Vector3 } from "three";
import { Announcer } from "./a11y";
import { Avatars } from "./avatars";
import { ViewCamera } from "./camera";
import { Chat } from "./chat";
import { Chatter } from "./chatter";
import { Clock } from "./clock";
import { TICK_HZ, type CellFrame, type Sample } from "./codec";
import { Company } from "./company";
import { byId, byTouch, reducedMotion, stored, titleOf } from "./dom";
import { note, showLink, showPrompt } from "./hud";
import { Input } from "./input";
import { JoinScreen, showFacts } from "./join";
import { Labels } from "./labels";
import { boxesOf } from "./boxes";
import { loadGlb } from "./loading";
import { Minimap } from "./minimap";
import { Net, type Handlers, type Socket, type Status } from "./net";
import { VISITOR_KIND } from "./people";
import { Place } from "./place";
import { Predictor } from "./predict";
import { Stage } from "./stage";
import { Steering } from "./steering";
import { Things } from "./things";
import { Touch } from "./touch";
import { ADMIN, Wishes } from "./wishes";
import type { ServerMessage, Welcome } from "./wire.generated";

const LOOK_RAD_PER_PX = 0.0042;
const SLOW_MS = 250;
const TALK_M = 6;
/** What lies over the view where no name should be. */
const OVER_VIEW = ".place, .corner > *, #chat-log li:not(.old), #chat-form, #prompt, .gestures, #drawer, #toast";
/** Humanoid files that the server has. */
const BODIES = 6;

export class Game {
  readonly stage: Stage;
  readonly net: Net;
  readonly clock = new Clock();
  readonly things = new Things();
  readonly labels = new Labels();
  readonly own: Predictor;
  readonly company: Company;
  readonly view: ViewCamera;
  readonly place: Place;
  world = "";
  epoch = 0;

  private readonly canvas = byId<HTMLCanvasElement>("view");
  private readonly avatars = new Avatars();
  private readonly minimap = new Minimap();
  private readonly announcer = new Announcer();
  private readonly chatter = new Chatter();
  private readonly input: Input;
  private readonly touch: Touch;
  private readonly steering: Steering;
  private readonly join: JoinScreen;
  private readonly chat: Chat;
  private readonly wishes: Wishes;
  private readonly focus = new Vector3();
  private welcome: Welcome | null = null;
  private before = performance.now();
  private slowAt = 0;
  /** Whether the connection was lost and is being taken up. */
  private away = false;

  constructor() {
    this.stage = new Stage(this.canvas, new URLSearchParams(location.search).get("quality"));
    this.stage.scene.add(this.avatars.root);
    this.view = new ViewCamera(this.stage.camera);
    this.place = new Place(this.stage, this.things, this.minimap);
    this.own = new Predictor((ax, ay, bx, by, z) => this.place.walls?.slide(ax, ay, bx, by, z) ?? { x: bx, y: by });
    this.company = new Company(this.own);
    this.net = new Net(this.handlers(), openSocket, stored("ecumene.token"));
    this.chat = new Chat((text) => this.net.ask({ t: "say", text }) > 0 || (note("Not connected; that was not sent."), false));
    this.wishes = new Wishes(this.parts());
    const look = (dx: number, dy: number) => this.view.turn(-dx * LOOK_RAD_PER_PX, -dy * LOOK_RAD_PER_PX);
    const pick = (x: number, y: number) => this.wishes.pick(x, y);
    const zoom = (notches: number) => this.view.zoom(notches);
    this.input = new Input(this.canvas, { command: (command) => this.wishes.wish(command), look, pick, zoom });
    this.touch = new Touch(this.canvas, byId("stick"), { look, pick, zoom });
    this.steering = new Steering(this.input, this.touch, this.view);
    this.join = new JoinScreen((name) => this.net.join(name));
    byId("chat-text").addEventListener("focus", () => this.input.release());
    window.addEventListener("online", () => this.net.hurry());
  }

  /** Loads the files and draws from then on. */
  start(): void {
    void showFacts();
    void this.place.load("scene.glb");
    void this.loadBodies();
    this.stage.renderer.setAnimationLoop((now) => this.frame(now));
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

  private parts() {
    const { net, own, company, things, chat, view, minimap, canvas } = this;
    return {
      ...{ net, own, company, things, chat, view, minimap, canvas, camera: this.stage.camera },
      present: () => this.welcome !== null,
      world: () => this.world,
      role: () => this.welcome?.role ?? 0,
      credits: () => ({ attribution: this.welcome?.attribution ?? [], quality: this.stage.quality.current.name }),
    };
  }

  // What the connection brings.

  private handlers(): Handlers {
    return {
      status: (status, reason) => this.linkChanged(status, reason),
      welcome: (message) => this.welcomed(message),
      message: (message) => this.received(message),
      frames: (frames, now) => this.take(frames, now),
      pong: (sent, now) => this.clock.ponged(sent, now),
    };
  }

  private linkChanged(status: Status, reason: string): void {
    if (status === "refused") {
      this.leave();
      this.join.fail(reason);
    } else if (status === "joining") this.join.wait(reason);
    if (status === "reconnecting" && !this.away) note("The connection is lost. You will stand where you stood as soon as the world answers.");
    this.away = status === "reconnecting";
    if (this.welcome) showLink(status, this.world, this.company.people.count);
  }

  private leave(): void {
    this.welcome = null;
    this.input.enabled = this.touch.enabled = false;
    this.labels.clear();
    byId("hud").hidden = true;
  }

  private welcomed(message: Welcome): void {
    const first = this.welcome === null;
    if (message.epoch !== this.epoch || !message.resumed) this.renew(message);
    this.welcome = message;
    this.world = titleOf(message.world);
    this.company.entity = message.entity;
    this.steering.restart();
    if (first) this.enter(message);
    else this.announcer.say("You are back.");
    if (!message.resumed && !this.place.isShown(message.scene)) void this.place.load(message.scene);
    showLink("open", this.world, this.company.people.count);
  }

  /** Begins anew with what a server tells that doesn't know us any more. */
  private renew(message: Welcome): void {
    this.epoch = message.epoch;
    this.company.tracks.clear();
    this.labels.clear();
    this.clock.reset();
    this.company.people.reset(message.people);
    this.things.reset(message.things);
    this.place.bind();
    const [x, y, z] = message.position;
    this.own.place({ x, y, z, yaw: message.yaw, free: true });
  }

  private enter(message: Welcome): void {
    this.join.done();
    byId("hud").hidden = false;
    byId("build-button").hidden = message.role < ADMIN;
    this.input.enabled = this.touch.enabled = true;
    this.own.yaw = message.yaw;
    this.steering.face(message.yaw);
    this.canvas.focus({ preventScroll: true });
    document.title = `${this.world} · Ecumene`;
    this.announcer.say(`You are in ${this.world} with ${this.company.people.count} others. Press H for the keys.`);
    this.greet();
  }

  /** Tells the keys to who has never been here. */
  private greet(): void {
    const seen = stored("ecumene.seen");
    const keys = "W A S D to walk, drag to look around, Enter to speak, H for help.";
    const fingers = "Left thumb walks, right thumb looks around. Tap people to open their minds.";
    if (!seen.get()) note(byTouch() ? fingers : keys, 9000);
    seen.set("1");
  }

  private received(message: Exclude<ServerMessage, Welcome>): void {
    switch (message.t) {
      case "joined":
        return this.joined(message);
      case "left":
        return this.left(message.id);
      case "said":
        return this.said(message);
      case "thing":
        return this.things.change(message);
      case "event":
        return this.happened(message.name);
      case "building":
        return this.wishes.showBuilding(message);
      case "done":
        if (this.wishes.answered(message)) return;
        if (!message.ok) note(message.error ?? "That did not work.");
        else if (message.text) note(message.text, 6000 + 60 * message.text.length);
        return;
      case "scene":
        this.things.reset(message.things);
        return void this.place.load(message.url);
      case "inspected":
        return this.wishes.showInspected(message);
      case "closing":
        return note(message.reason);
      default:
        return;
    }
  }

  private said({ id, title, text }: Extract<ServerMessage, { t: "said" }>): void {
    const now = performance.now();
    this.labels.say(id, text, now);
    const own = id === this.company.entity;
    if (own) this.chatter.spoke(now);
    const { x, y } = this.company.poseOf(id) ?? { x: Infinity, y: Infinity };
    const distance = Math.hypot(x - this.own.x, y - this.own.y);
    const visitor = this.company.nameOf(id)?.visitor ?? false;
    const name = this.company.nameOf(this.company.entity)?.title ?? "";
    if (own || this.chatter.isForUs({ text, visitor, distance }, name, now)) this.chat.said(title, text, own);
  }

  private joined(message: Extract<ServerMessage, { t: "joined" }>): void {
    this.company.people.add(message);
    const other = message.kind === VISITOR_KIND && message.id !== this.company.entity;
    if (other) this.chat.event(`${message.title} walked in.`);
    showLink(this.net.status, this.world, this.company.people.count);
  }

  private left(id: number): void {
    const person = this.company.people.remove(id);
    this.company.tracks.byId.delete(id);
    this.labels.drop(id);
    if (person?.kind === VISITOR_KIND) this.chat.event(`${person.title} left.`);
    showLink(this.net.status, this.world, this.company.people.count);
  }

  private happened(name: string): void {
    if (name === "alarm") this.chat.event("An alarm rings.");
  }

  private take(frames: CellFrame[], now: number): void {
    const { tracks, entity } = this.company;
    for (const frame of frames) {
      if (frame.epoch !== this.epoch) continue;
      this.clock.arrived(frame.tick, now);
      tracks.take(frame);
    }
    const last = tracks.byId.get(entity)?.last;
    if (last && last.tick === tracks.newest) this.reconcile(last, last.tick);
  }

  /** Compares the server's word with the prediction as it was when the input left that the word knows of. */
  private reconcile(sample: Sample, tick: number): void {
    const arrival = this.clock.arrivalOf(tick);
    if (arrival === null) return;
    this.own.reconcile({ ...sample, free: sample.posture === 0 }, arrival - this.clock.rttMs - 500 / TICK_HZ);
  }

  // One picture.

  private frame(now: number): void {
    const elapsed = now - this.before;
    this.before = now;
    const dtS = Math.min(0.1, Math.max(0.001, elapsed / 1000));
    if (this.welcome) this.live(now, dtS);
    else this.wait(dtS);
    if (now - this.slowAt > SLOW_MS) this.slow(now);
    this.stage.judge(elapsed);
    if (this.stage.render(this.focus, now / 1000, this.welcome === null) && this.welcome) this.name(now);
  }

  /** Circles over the world until somebody joins. */
  private wait(dtS: number): void {
    this.focus.copy(this.place.middle);
    this.view.orbit(this.place.middle, this.place.radius, dtS, reducedMotion());
  }

  private live(now: number, dtS: number): void {
    const { company, stage, place } = this;
    this.steer(now, dtS);
    company.tracks.advance(this.clock.tickAt(now) ?? 0, (this.clock.latenessMs / 1000) * TICK_HZ);
    this.view.follow(this.own, company.seated, place.walls, dtS);
    this.focus.set(this.own.x, this.own.z, -this.own.y);
    company.update(stage.camera.position, dtS);
    const { skinned, shadowPx } = stage.quality.current;
    this.avatars.update(company.drawn, dtS, skinned, shadowPx > 0, this.view.firstPerson);
    this.things.update(dtS, (id) => company.poseOf(id));
    place.enter(this.focus, company.level, this.view.firstPerson, dtS);
    this.minimap.draw(this.own, company.drawn, now);
  }

  /** Puts names over the heads of the picture just drawn: a name never runs ahead of its person. */
  private name(now: number): void {
    const { company, stage, place } = this;
    this.labels.update(company.drawn, stage.camera, place.walls, (id) => company.nameOf(id), now);
  }

  private steer(now: number, dtS: number): void {
    const wish = this.steering.wish(dtS);
    const message = this.steering.message(wish, now);
    if (message) this.net.send({ t: "steer", ...message });
    this.own.step(wish, dtS * this.clock.pace, now);
  }

  /** What need not happen in every picture. */
  private slow(now: number): void {
    this.slowAt = now;
    this.place.scenery?.update(this.stage.camera.position);
    if (!this.welcome) return;
    this.company.tracks.forget();
    showPrompt(this.wishes.usable()?.prompt ?? "");
    const near = this.company.near();
    this.announcer.update(near, now);
    const speak = byTouch() ? "Say something" : "Enter to speak";
    const npc = near.find((each) => !each.visitor && each.distance < TALK_M);
    this.chat.hint(npc ? `${speak}, or @${npc.title.split(" ")[0]} …` : speak);
    this.wishes.refresh(now);
    this.labels.reserve(boxesOf(OVER_VIEW));
  }
}

function openSocket(): Socket {
  const url = new URL("ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return new WebSocket(url) as unknown as Socket;
}
