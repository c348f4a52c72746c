/**
 * Moves the own avatar at once, before the server has heard of the key that was pressed, and eases it onto the
 * server's truth as that arrives.
 *
 * A server sample speaks of input that was sent one round trip before the sample arrived; so it is compared with
 * where the prediction was then, and the whole remembered path shifts with each correction.
 */

import { remaining, turned, wrapped } from "./angles";

const ACCELERATION = 4;
const TURN_RATE = 4;
const REMEMBERED_MS = 2000;
const SNAP_M = 3;
const EASE_S = 0.15;
const IGNORED_M = 0.02;

export const WALK_MPS = 1.4;
export const RUN_MPS = 3;

/** What the visitor wants: a direction in the world and how fast, and where to face. */
export interface Wish {
  /** World frame, length 0..1. */
  x: number;
  y: number;
  yaw: number;
  run: boolean;
}

export interface Truth {
  x: number;
  y: number;
  z: number;
  yaw: number;
  /** Whether the avatar stands; sitting and lying ones are not predicted. */
  free: boolean;
}

/** Answers where someone who walks from a towards b ends, e.g. sliding along a wall. */
export type Slide = (ax: number, ay: number, bx: number, by: number, z: number) => { x: number; y: number };

interface Remembered {
  at: number;
  x: number;
  y: number;
}

export class Predictor {
  x = 0;
  y = 0;
  z = 0;
  yaw = 0;
  speed = 0;
  /** Whether the server has said yet where we are. */
  placed = false;

  private vx = 0;
  private vy = 0;
  private truthZ = 0;
  private free = true;
  private errorX = 0;
  private errorY = 0;
  private path: Remembered[] = [];

  constructor(private readonly slide: Slide = (_ax, _ay, bx, by) => ({ x: bx, y: by })) {}

  /** Stands exactly where the server says; for joining, teleports and new epochs. */
  place(truth: Truth): void {
    this.x = truth.x;
    this.y = truth.y;
    this.z = this.truthZ = truth.z;
    if (!this.placed) this.yaw = truth.yaw;
    this.vx = this.vy = this.errorX = this.errorY = 0;
    this.path = [];
    this.placed = true;
    this.free = truth.free;
  }

  /** Moves by `dtS` seconds towards the wish. */
  step(wish: Wish, dtS: number, nowMs: number): void {
    this.turn(wish.yaw, dtS);
    if (this.free) this.walk(wish, dtS);
    this.correct(dtS);
    this.z += (this.truthZ - this.z) * (1 - remaining(dtS, 0.08));
    this.path.push({ at: nowMs, x: this.x, y: this.y });
    while (this.path.length > 0 && (this.path[0] as Remembered).at < nowMs - REMEMBERED_MS) this.path.shift();
  }

  /**
   * Takes the server's word.
   *
   * @param truth - Where the server has us.
   * @param inputMs - Local time at which the newest input was sent that the server had applied by then.
   */
  reconcile(truth: Truth, inputMs: number): void {
    if (!this.placed) return this.place(truth);
    this.truthZ = truth.z;
    this.free = truth.free;
    const then = this.at(inputMs);
    const dx = truth.x - then.x;
    const dy = truth.y - then.y;
    const off = Math.hypot(dx, dy);
    if (off > SNAP_M) return this.place(truth);
    this.errorX = off < IGNORED_M ? 0 : dx;
    this.errorY = off < IGNORED_M ? 0 : dy;
    if (!truth.free) {
      this.vx = this.vy = 0;
      this.yaw = turned(this.yaw, truth.yaw, 0.5);
    }
  }

  private turn(yaw: number, dtS: number): void {
    if (!this.free) return;
    const gap = wrapped(yaw - this.yaw);
    // Twice the server's rate: a turn is seen at once and never disagrees about where one stands.
    const limit = 2 * TURN_RATE * dtS;
    this.yaw = wrapped(this.yaw + Math.max(-limit, Math.min(limit, gap)));
  }

  private walk(wish: Wish, dtS: number): void {
    const top = wish.run ? RUN_MPS : WALK_MPS;
    const dvx = wish.x * top - this.vx;
    const dvy = wish.y * top - this.vy;
    const change = Math.hypot(dvx, dvy);
    const share = change > 0 ? Math.min(1, (ACCELERATION * dtS) / change) : 0;
    this.vx += dvx * share;
    this.vy += dvy * share;
    const to = this.slide(this.x, this.y, this.x + this.vx * dtS, this.y + this.vy * dtS, this.z);
    this.speed = dtS > 0 ? Math.hypot(to.x - this.x, to.y - this.y) / dtS : 0;
    this.x = to.x;
    this.y = to.y;
  }

  /** Eases a share of the known error away, from the present and from the remembered path alike. */
  private correct(dtS: number): void {
    const share = 1 - remaining(dtS, EASE_S);
    const dx = this.errorX * share;
    const dy = this.errorY * share;
    this.errorX -= dx;
    this.errorY -= dy;
    this.x += dx;
    this.y += dy;
    for (const point of this.path) {
      point.x += dx;
      point.y += dy;
    }
  }

  /** Where the prediction was at a local time, interpolated; the nearest end outside what is remembered. */
  private at(ms: number): { x: number; y: number } {
    for (let i = this.path.length - 1; i > 0; i--) {
      const a = this.path[i - 1] as Remembered;
      const b = this.path[i] as Remembered;
      if (a.at > ms) continue;
      const t = Math.min(1, (ms - a.at) / Math.max(1e-6, b.at - a.at));
      return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t };
    }
    return this.path[0] ?? this;
  }
}
