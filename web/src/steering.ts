/** Turns keys and sticks into a wish in the world, and into steering messages no more often than needed. */

import { wrapped } from "./angles";
import type { ViewCamera } from "./camera";
import type { Input } from "./input";
import type { Wish } from "./predict";
import type { Touch } from "./touch";

const SEND_MS = 50;
const REPEAT_MS = 500;
const TURN_RAD_PER_S = 2.1;
const GAZE_YAW = 1.2;
const GAZE_PITCH = 0.8;

export interface SteerOut {
  n: number;
  move: [number, number];
  yaw: number;
  gaze: [number, number];
  run: boolean;
}

export class Steering {
  private n = 0;
  private sentAt = -Infinity;
  private sent = "";
  private facing = 0;

  constructor(
    private readonly input: Input,
    private readonly touch: Touch,
    private readonly view: ViewCamera,
  ) {}

  /** Faces a heading without a wish to go anywhere; after joining. */
  face(yaw: number): void {
    this.facing = yaw;
    this.view.yaw = yaw;
  }

  /** What is wanted now. In third person one faces where one goes, in first person where one looks. */
  wish(dtS: number): Wish {
    this.view.turn(this.input.turning * TURN_RAD_PER_S * dtS, 0);
    const keys = this.input.move;
    const ahead = keys.ahead + this.touch.move.ahead;
    const left = keys.left + this.touch.move.left;
    const length = Math.hypot(ahead, left);
    const { cos, sin } = { cos: Math.cos(this.view.yaw), sin: Math.sin(this.view.yaw) };
    const shorten = 1 / Math.max(1, length);
    const x = (ahead * cos - left * sin) * shorten;
    const y = (ahead * sin + left * cos) * shorten;
    if (this.view.firstPerson) this.facing = this.view.yaw;
    else if (length > 0.05) this.facing = Math.atan2(y, x);
    return { x, y, yaw: this.facing, run: this.input.running || this.touch.running };
  }

  /** The message to send now, or null while nothing changed. */
  message(wish: Wish, nowMs: number): SteerOut | null {
    if (nowMs - this.sentAt < SEND_MS) return null;
    const ahead = wish.x * Math.cos(wish.yaw) + wish.y * Math.sin(wish.yaw);
    const left = -wish.x * Math.sin(wish.yaw) + wish.y * Math.cos(wish.yaw);
    const look = Math.max(-GAZE_YAW, Math.min(GAZE_YAW, wrapped(this.view.yaw - wish.yaw)));
    const pitch = Math.max(-GAZE_PITCH, Math.min(GAZE_PITCH, this.view.pitch));
    const move: [number, number] = [rounded(ahead), rounded(left)];
    const gaze: [number, number] = [rounded(look), rounded(pitch)];
    const body = { move, yaw: rounded(wish.yaw), gaze, run: wish.run };
    const text = JSON.stringify(body);
    if (text === this.sent && nowMs - this.sentAt < REPEAT_MS) return null;
    this.sent = text;
    this.sentAt = nowMs;
    return { n: ++this.n, ...body };
  }

  /** Counts from the beginning again; for a new connection. */
  restart(): void {
    this.n = 0;
    this.sent = "";
  }
}

/** Two decimals; a move stays within −1..1. */
function rounded(value: number): number {
  return Math.round(Math.max(-1e3, Math.min(1e3, value)) * 100) / 100;
}
