import { decode, encode } from "@msgpack/msgpack";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Net, type Handlers, type Socket } from "./net";

class FakeSocket implements Socket {
  binaryType = "";
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer | string }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: Record<string, unknown>[] = [];

  send(data: Uint8Array): void {
    expect(data[0]).toBe(2);
    this.sent.push(decode(data.subarray(1)) as Record<string, unknown>);
  }
  close(): void {
    this.readyState = 3;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  says(message: object): void {
    const body = encode(message);
    const data = new Uint8Array(body.length + 1);
    data[0] = 2;
    data.set(body, 1);
    this.onmessage?.({ data: data.buffer });
  }
  breaks(): void {
    this.readyState = 3;
    this.onclose?.();
  }
  first(t: string): Record<string, unknown> | undefined {
    return this.sent.find((each) => each["t"] === t);
  }
}

const WELCOME = { t: "welcome", session: "s1", token: "secret", epoch: 3, seq: 10, resumed: false };
let sockets: FakeSocket[];
let heard: { t: string; seq?: number }[];
let statuses: string[];
let token: string | null;
let net: Net;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  heard = [];
  statuses = [];
  token = null;
  const handlers: Handlers = {
    status: (status) => statuses.push(status),
    welcome: () => undefined,
    message: (message) => heard.push(message),
    frames: () => undefined,
    pong: () => undefined,
  };
  const open = () => {
    sockets.push(new FakeSocket());
    return sockets.at(-1) as FakeSocket;
  };
  net = new Net(handlers, open, { get: () => token, set: (value) => (token = value) }, () => Date.now());
});
afterEach(() => vi.useRealTimers());

function joined(): FakeSocket {
  net.join("Ada");
  const socket = sockets[0] as FakeSocket;
  socket.opens();
  socket.says(WELCOME);
  return socket;
}

describe("Net", () => {
  it("says hello and nothing else before the welcome", () => {
    net.join("Ada");
    const socket = sockets[0] as FakeSocket;
    socket.opens();
    net.send({ t: "ping", sent: 1 });
    expect(socket.sent).toEqual([{ t: "hello", protocol: 1, name: "Ada" }]);
    socket.says(WELCOME);
    expect(token).toBe("secret");
    expect(net.status).toBe("open");
  });

  it("hands every numbered message on once, in spite of replays", () => {
    const socket = joined();
    for (const seq of [10, 11, 11, 12, 11]) socket.says({ t: "left", seq, id: 1 });
    expect(heard.map((each) => each.seq)).toEqual([11, 12]);
  });

  it("acknowledges what it has", () => {
    const socket = joined();
    socket.says({ t: "left", seq: 11, id: 1 });
    socket.says({ t: "left", seq: 12, id: 1 });
    vi.advanceTimersByTime(300);
    expect(socket.first("ack")).toEqual({ t: "ack", seq: 12 });
  });

  it("comes back after a loss and resumes where it was", () => {
    const socket = joined();
    socket.says({ t: "left", seq: 11, id: 1 });
    socket.breaks();
    expect(net.status).toBe("reconnecting");
    vi.advanceTimersByTime(400);
    const second = sockets[1] as FakeSocket;
    second.opens();
    expect(second.first("hello")).toEqual({
      ...{ t: "hello", protocol: 1, name: "Ada", token: "secret" },
      resume: { session: "s1", seq: 11 },
    });
    second.says({ ...WELCOME, resumed: true, seq: 13 });
    second.says({ t: "left", seq: 12, id: 2 });
    expect(heard.at(-1)?.seq).toBe(12);
  });

  it("counts from the server's number when the session was not known any more", () => {
    joined().breaks();
    vi.advanceTimersByTime(400);
    const second = sockets[1] as FakeSocket;
    second.opens();
    second.says({ ...WELCOME, session: "s2", epoch: 4, seq: 0 });
    second.says({ t: "left", seq: 1, id: 2 });
    expect(heard.at(-1)?.seq).toBe(1);
  });

  it("waits longer from try to try", () => {
    joined().breaks();
    vi.advanceTimersByTime(380);
    expect(sockets).toHaveLength(2);
    sockets[1]?.breaks();
    vi.advanceTimersByTime(490);
    expect(sockets).toHaveLength(2);
    vi.advanceTimersByTime(300);
    expect(sockets).toHaveLength(3);
  });

  it("gives up when refused, with the server's reason", () => {
    net.join("Ada");
    const socket = sockets[0] as FakeSocket;
    socket.opens();
    socket.says({ t: "refused", reason: "That name is taken." });
    socket.breaks();
    vi.advanceTimersByTime(10_000);
    expect(net.status).toBe("refused");
    expect(sockets).toHaveLength(1);
  });

  it("notices a connection that went silent", () => {
    joined();
    vi.advanceTimersByTime(11_000);
    expect(statuses).toContain("reconnecting");
  });

  it("numbers requests and tells when nothing could be sent", () => {
    expect(net.ask({ t: "say", text: "hello" })).toBe(0);
    const socket = joined();
    expect(net.ask({ t: "say", text: "hello" })).toBe(2);
    expect(socket.first("say")).toEqual({ t: "say", text: "hello", id: 2 });
  });
});
