/**
 * The connection: joins, numbers requests, acknowledges what is reliable, and comes back after a loss.
 *
 * A lost connection is taken up with the session and the last sequence number, so that the server replays what was
 * missed. A restarted server doesn't know the session; the token then still brings the visitor back to their place.
 */

import { decode, encode } from "@msgpack/msgpack";
import { decodeFrames, type CellFrame } from "./codec";
import { HOT, PROTOCOL, RARE, type ClientMessage, type ServerMessage, type Welcome } from "./wire.generated";

const BACKOFF_MS = [250, 500, 1000, 2000, 4000];
const PING_MS = 2000;
const ACK_MS = 250;
/** After this many pings in a row without a byte in between the connection counts as lost. */
const SILENT_BEATS = 4;

export type Status = "idle" | "joining" | "open" | "reconnecting" | "refused";
type Reliable = Extract<ServerMessage, { seq: number }>;
/** A message that the server answers with the id it was sent under. */
type Request = Extract<ClientMessage, { id: number }>;
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface Handlers {
  status(status: Status, reason: string): void;
  welcome(message: Welcome): void;
  message(message: Exclude<ServerMessage, Welcome>): void;
  frames(frames: CellFrame[], nowMs: number): void;
  pong(sentMs: number, nowMs: number): void;
}

/** What of a WebSocket is used, so that tests can stand in for it. */
export interface Socket {
  binaryType: string;
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: ArrayBuffer | string }) => void) | null;
  onclose: (() => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Where the token of a visitor is kept between visits. */
export interface TokenBox {
  get(): string | null;
  set(token: string): void;
}

export class Net {
  status: Status = "idle";
  /** Bytes received since the page opened. */
  received = 0;

  private socket: Socket | null = null;
  private name = "";
  private session = "";
  private seq = 0;
  private acked = 0;
  private nextId = 1;
  private attempt = 0;
  /** Whether this connection's hello was answered; anything else sent before would close it. */
  private admitted = false;
  /** Pings since the last byte; counted, not timed, so that a stalled page doesn't blame the network. */
  private silent = 0;
  private retryMs: number | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private timers: ReturnType<typeof setInterval>[] = [];

  constructor(
    private readonly handlers: Handlers,
    private readonly open: () => Socket,
    private readonly tokens: TokenBox,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Joins under a name; the answer comes through the handlers. */
  join(name: string): void {
    this.name = name;
    this.session = "";
    this.seq = this.acked = this.attempt = 0;
    this.say("joining", "");
    this.connect();
  }

  /** Leaves for good. */
  leave(): void {
    this.send({ t: "bye" });
    clearTimeout(this.retry);
    this.drop();
    this.say("idle", "");
  }

  /** Tries again at once instead of waiting for the next attempt, e.g. when the network is back. */
  hurry(): void {
    if (this.status !== "reconnecting" || this.socket) return;
    clearTimeout(this.retry);
    this.connect();
  }

  /** Sends a message if the connection is open; unreliable ones are simply lost otherwise. */
  send(message: ClientMessage): boolean {
    const socket = this.socket;
    if (!socket || socket.readyState !== 1 || (!this.admitted && message.t !== "hello")) return false;
    const body = encode(message);
    const bytes = new Uint8Array(body.length + 1);
    bytes[0] = RARE;
    bytes.set(body, 1);
    socket.send(bytes);
    return true;
  }

  /** Sends a request under a fresh id and returns that id; 0 when there is no connection. */
  ask(message: Without<Request, "id">): number {
    const id = this.nextId++;
    return this.send({ ...message, id } as Request) ? id : 0;
  }

  private connect(): void {
    this.drop();
    const socket = this.open();
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.silent = 0;
    socket.onopen = () => this.greet();
    socket.onmessage = (event) => {
      if (this.socket === socket && typeof event.data !== "string") this.receive(event.data);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
    this.timers = [
      setInterval(() => this.beat(), PING_MS),
      setInterval(() => this.acknowledge(), ACK_MS),
    ];
  }

  private greet(): void {
    const token = this.tokens.get();
    this.send({
      t: "hello",
      protocol: PROTOCOL,
      name: this.name,
      ...(token ? { token } : {}),
      ...(this.session ? { resume: { session: this.session, seq: this.seq } } : {}),
    });
  }

  private receive(data: ArrayBuffer): void {
    const now = this.now();
    this.silent = 0;
    this.received += data.byteLength;
    const kind = new Uint8Array(data, 0, 1)[0];
    if (kind === HOT) this.handlers.frames(decodeFrames(data), now);
    else if (kind === RARE) this.dispatch(decode(new Uint8Array(data, 1)) as ServerMessage, now);
  }

  private dispatch(message: ServerMessage, now: number): void {
    switch (message.t) {
      case "welcome":
        return this.welcomed(message);
      case "pong":
        return this.handlers.pong(message.sent, now);
      case "refused":
        return this.refused(message.reason);
      case "closing":
        this.retryMs = message.retry_s * 1000;
        return this.handlers.message(message);
      case "inspected":
        return this.handlers.message(message);
      default:
        return this.reliable(message);
    }
  }

  private welcomed(message: Welcome): void {
    this.tokens.set(message.token);
    if (!message.resumed) this.seq = this.acked = message.seq;
    this.session = message.session;
    this.attempt = 0;
    this.admitted = true;
    this.send({ t: "ping", sent: this.now() });
    this.handlers.welcome(message);
    this.say("open", "");
  }

  /** Hands a numbered message on once, however often it is replayed. */
  private reliable(message: Reliable & Exclude<ServerMessage, Welcome>): void {
    if (message.seq <= this.seq) return;
    this.seq = message.seq;
    this.handlers.message(message);
  }

  private refused(reason: string): void {
    this.drop();
    this.say("refused", reason);
  }

  private beat(): void {
    if (++this.silent > SILENT_BEATS) return this.lost();
    this.send({ t: "ping", sent: this.now() });
  }

  private acknowledge(): void {
    if (this.seq > this.acked && this.send({ t: "ack", seq: this.seq })) this.acked = this.seq;
  }

  private lost(): void {
    const joined = this.session !== "";
    this.drop();
    const wait = this.retryMs ?? (BACKOFF_MS[Math.min(this.attempt, BACKOFF_MS.length - 1)] as number);
    this.retryMs = null;
    this.attempt++;
    this.say(joined ? "reconnecting" : "joining", joined ? "" : "The world does not answer. Trying again…");
    // Spread over half the wait again, so that a restarted server isn't met by everybody at once.
    this.retry = setTimeout(() => this.connect(), wait * (1 + Math.random() / 2));
  }

  private drop(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    this.admitted = false;
    const socket = this.socket;
    this.socket = null;
    if (socket && socket.readyState <= 1) socket.close();
  }

  private say(status: Status, reason: string): void {
    this.status = status;
    this.handlers.status(status, reason);
  }
}
