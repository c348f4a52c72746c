// Generated from server/ecumene_server/wire.py by `python -m ecumene_server.typescript`. Do not edit.

export const PROTOCOL = 1;
export const HOT = 1;
export const RARE = 2;
export const MAX_MESSAGE_BYTES = 65536;
export const MAX_NAME = 40;
export const MAX_TEXT = 500;
export const HEARING_M = 30;
export const CELL_VERSION = 1;
export const CELL_M = 32;
export const CELL_HEADER_BYTES = 24;
export const ENTITY_BYTES = 16;
export const FLAG_FAR = 1;
export const VISITOR = 1;
export const SPEAKING = 2;
export const HOLDING = 4;

/** Which stream to take up again. */
export interface Resume {
  session: string;
  seq: number;
}

/** First message of every connection. */
export interface Hello {
  t: "hello";
  protocol: number;
  name: string;
  token?: string | null;
  resume?: Resume | null;
}

/** Where the visitor wants to go from now on; unreliable, at most 20 a second, the newest wins. */
export interface Steer {
  t: "steer";
  n: number;
  move: [number, number];
  yaw: number;
  gaze?: [number, number];
  run?: boolean;
}

/** Speaks; heard within `HEARING_M`. A text that begins with `@Name` addresses that NPC. */
export interface Say {
  t: "say";
  id: number;
  text: string;
}

/** Uses a thing by node name, or with None the nearest one in reach. */
export interface Use {
  t: "use";
  id: number;
  thing?: string | null;
}

/** Plays an emote: 1 wave, 2 nod, 3 cheer, 4 point, 5 dance, 0 stops. */
export interface Gesture {
  t: "gesture";
  id: number;
  emote: number;
}

/** Changes the world: `command` is the record of an `ecumene_world` command, its name under "command". */
export interface Edit {
  t: "edit";
  id: number;
  command: Record<string, unknown>;
}

/** Asks for a district: generated beside the ticks, joined to the streets, put in; admins only, one at a time. */
export interface Build {
  t: "build";
  id: number;
  kind: string;
  seed?: number;
  tags?: string[];
  size_m?: number | null;
  at?: [number, number] | null;
}

/** Gives up the district that is being built, unless it is being put in already; admins only. */
export interface Abandon {
  t: "abandon";
  id: number;
}

/** Opens an avatar's mind (by entity id) or a node of the scene graph (by name); exactly one is given. */
export interface Inspect {
  t: "inspect";
  id: number;
  entity?: number | null;
  node?: string | null;
}

/** Every reliable message up to `seq` has arrived. */
export interface Ack {
  t: "ack";
  seq: number;
}

/** Asks for a `Pong`; `sent` is the client's own clock in milliseconds and comes back unchanged. */
export interface Ping {
  t: "ping";
  sent: number;
}

/** Leaves for good: the avatar despawns now instead of waiting for a resume. */
export interface Bye {
  t: "bye";
}

/** A thing that can be used. */
export interface Thing {
  i: number;
  name: string;
  title: string;
  kind: number;
  state: number;
  position: [number, number, number];
  yaw: number;
  level: number;
  interaction: number;
  holder: number;
  partner: number;
}

/** An avatar: NPC or visitor. */
export interface Person {
  id: number;
  key: string;
  title: string;
  kind: number;
  look: number;
}

/** Answers `Hello`: everything a client needs besides the scene file. */
export interface Welcome {
  t: "welcome";
  session: string;
  token: string;
  epoch: number;
  tick: number;
  tick_hz: number;
  server_ms: number;
  world: string;
  scene: string;
  entity: number;
  role: number;
  cell_m: number;
  bounds: [number, number, number, number];
  position: [number, number, number];
  yaw: number;
  palette: Record<string, string>;
  attribution: string[];
  things: Thing[];
  people: Person[];
  seq: number;
  resumed: boolean;
}

/** An avatar appeared, anywhere in the world. */
export interface Joined {
  t: "joined";
  seq: number;
  id: number;
  key: string;
  title: string;
  kind: number;
  look: number;
}

/** An avatar is gone. */
export interface Left {
  t: "left";
  seq: number;
  id: number;
}

/** Somebody within earshot spoke. */
export interface Said {
  t: "said";
  seq: number;
  id: number;
  title: string;
  text: string;
}

/** A thing's state, holders or place changed; fields as in `Thing`, but a yaw of None is the one it had. */
export interface ThingChanged {
  t: "thing";
  seq: number;
  i: number;
  state: number;
  holder: number;
  position: [number, number, number];
  partner: number;
  yaw: number | null;
}

/** Something else happened: a reading arrived, the world was edited, an alarm rang. */
export interface Happened {
  t: "event";
  seq: number;
  name: string;
  subject: string;
  object: string;
  data: Record<string, unknown>;
}

/** Answers the client's message of that `id`. */
export interface Done {
  t: "done";
  seq: number;
  id: number;
  ok: boolean;
  error: string | null;
  text: string | null;
}

/** How far the district is that was asked for with `Build`. */
export interface Building {
  t: "building";
  seq: number;
  id: number;
  kind: string;
  seed: number;
  doing: string;
  share: number;
  at: [number, number] | null;
}

/** The scene was edited: fetch the GLB again; `things` replaces the list of `Welcome`. */
export interface Scene {
  t: "scene";
  seq: number;
  url: string;
  hash: string;
  things: Thing[];
}

/** Something a mind perceives or attends to. */
export interface Noticed {
  sense: string;
  title: string;
  distance_m: number;
  weight: number;
}

/** What an avatar sees now, row by row from the top left. */
export interface Picture {
  rows: number;
  columns: number;
  depth: Uint8Array;
  kind: Uint8Array;
  far_m: number;
}

/** An NPC's mind, opened. */
export interface Mind {
  driver: string;
  persona: string;
  intent: string;
  reason: string;
  goal: [number, number, number] | null;
  needs: Record<string, number>;
  senses: Record<string, boolean>;
  contribution: Record<string, number>;
  attention: Record<string, number>;
  effects: Record<string, number>;
  proposals: Record<string, [number, number]>;
  noticed: Noticed[];
  remembers: string[];
  action: number[];
  vision: Picture | null;
  hearing: Uint8Array | null;
  bands: number;
  touch: number[];
}

/** Answers `Inspect`; unreliable, ask again when it is lost. */
export interface Inspected {
  t: "inspected";
  id: number;
  tick: number;
  title: string;
  kind: number;
  entity: number | null;
  node: string | null;
  facts: Record<string, string>;
  mind: Mind | null;
  error: string | null;
}

/** Answers `Ping`. */
export interface Pong {
  t: "pong";
  sent: number;
  tick: number;
  server_ms: number;
}

/** Why this connection is closed now, one sentence; the close code follows. */
export interface Refused {
  t: "refused";
  reason: string;
}

/** The server stops; come back after `retry_s`. */
export interface Closing {
  t: "closing";
  reason: string;
  retry_s: number;
}

export type ClientMessage = Hello | Steer | Say | Use | Gesture | Edit | Build | Abandon | Inspect | Ack | Ping | Bye;

export type ServerMessage = Welcome | Joined | Left | Said | ThingChanged | Happened | Done | Building | Scene | Inspected | Pong | Refused | Closing;

export type ReliableMessage = Joined | Left | Said | ThingChanged | Happened | Done | Building | Scene;
