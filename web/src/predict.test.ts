import { describe, expect, it } from "vitest";
import { Predictor, type Truth } from "./predict";

const WALK = { x: 1, y: 0, yaw: 0, run: false };
const REST = { x: 0, y: 0, yaw: 0, run: false };
const FRAME_MS = 16;

function truth(over: Partial<Truth> = {}): Truth {
  return { x: 0, y: 0, z: 0, yaw: 0, free: true, ...over };
}

/** A server that hears of input `uplinkMs` later and whose word travels `uplinkMs` back; same motion otherwise. */
function duet(uplinkMs: number, seconds: number, blockedAt = Infinity) {
  const own = new Predictor();
  own.place(truth());
  const server = new Predictor((ax, ay, bx, by) => (bx > blockedAt ? { x: ax, y: ay } : { x: bx, y: by }));
  server.place(truth());
  const words: { at: number; sent: number; x: number; y: number }[] = [];
  const steps: number[] = [];
  const errors: number[] = [];
  for (let ms = 0; ms < seconds * 1000; ms += FRAME_MS) {
    const before = own.x;
    own.step(WALK, FRAME_MS / 1000, ms);
    steps.push(own.x - before);
    if (ms >= uplinkMs) server.step(WALK, FRAME_MS / 1000, ms);
    if (ms % 48 === 0) words.push({ at: ms + uplinkMs, sent: ms - uplinkMs, x: server.x, y: server.y });
    while (words[0] && words[0].at <= ms) {
      const word = words.shift() as (typeof words)[0];
      if (word.sent >= 0) own.reconcile(truth({ x: word.x, y: word.y }), word.sent);
      errors.push(own.x - server.x);
    }
  }
  return { own, server, steps, errors };
}

describe("Predictor", () => {
  it("moves in the first picture after the key", () => {
    const own = new Predictor();
    own.place(truth());
    own.step(WALK, 0.05, 50);
    expect(own.x).toBeGreaterThan(0);
  });

  it("needs no correction when the server agrees, however far away it is", () => {
    for (const uplink of [16, 96, 192]) {
      const { steps } = duet(uplink, 3);
      const late = steps.slice(-60);
      expect(Math.min(...late)).toBeGreaterThan(0.95 * 1.4 * 0.016);
      expect(Math.max(...late)).toBeLessThan(1.05 * 1.4 * 0.016);
    }
  });

  it("leads the server by one trip and no more", () => {
    const { errors } = duet(96, 3);
    expect(errors.at(-1)).toBeCloseTo(1.4 * 0.096, 1);
  });

  it("stays near a wall that only the server knows", () => {
    const { own } = duet(48, 4, 1);
    expect(own.x).toBeLessThan(1.45);
  });

  it("eases small errors away and jumps over large ones", () => {
    const own = new Predictor();
    own.place(truth());
    own.step(REST, 0.016, 16);
    own.reconcile(truth({ x: 0.5 }), 16);
    own.step(REST, 0.016, 32);
    expect(own.x).toBeGreaterThan(0);
    expect(own.x).toBeLessThan(0.1);
    for (let ms = 48; ms < 1500; ms += 16) own.step(REST, 0.016, ms);
    expect(own.x).toBeCloseTo(0.5, 2);
    own.reconcile(truth({ x: 40 }), 1500);
    expect(own.x).toBe(40);
  });

  it("does not walk while seated", () => {
    const own = new Predictor();
    own.place(truth({ free: false }));
    own.step(WALK, 0.1, 100);
    expect(own.x).toBe(0);
  });

  it("slides along what it knows to be solid", () => {
    const own = new Predictor((_ax, ay, bx, by) => ({ x: Math.min(bx, 0.3), y: by + 0 * ay }));
    own.place(truth());
    for (let ms = 0; ms < 2000; ms += 16) own.step({ x: 0.7, y: 0.7, yaw: 0.8, run: true }, 0.016, ms);
    expect(own.x).toBeCloseTo(0.3, 6);
    expect(own.y).toBeGreaterThan(2);
  });
});
