/**
 * Says which server tick should be arriving now, how late ticks tend to be, and how long a round trip takes.
 *
 * The tick clock is anchored on arrivals, not on the server's wall clock: playing back what arrives needs no more,
 * and it follows a server that runs slower than promised.
 */

import { TICK_HZ } from "./codec";

const TICK_MS = 1000 / TICK_HZ;
const WINDOW_MS = 5000;
const PINGS = 8;
const SLEW_PER_S = 0.5;
const JUMP_MS = 500;

interface Arrival {
  at: number;
  /** Arrival time less the tick's nominal time; the least of a window is the arrival without queueing. */
  offset: number;
}

export class Clock {
  /** Smoothed round trip in milliseconds; 0 before the first pong. */
  rttMs = 0;
  /** 95th percentile of how late ticks came within the last 5 s, milliseconds. */
  latenessMs = 0;

  private arrivals: Arrival[] = [];
  private rtts: number[] = [];
  private newest = -1;
  private anchor: number | null = null;
  private slewedAt = 0;

  /** Forgets everything; for a new server epoch. */
  reset(): void {
    this.arrivals = [];
    this.newest = -1;
    this.anchor = null;
    this.latenessMs = 0;
  }

  /** Takes note that the first hot frame of `tick` arrived at `nowMs`; others of the same tick don't count. */
  arrived(tick: number, nowMs: number): void {
    if (tick <= this.newest) return;
    this.newest = tick;
    const offset = nowMs - tick * TICK_MS;
    this.arrivals.push({ at: nowMs, offset });
    while (this.arrivals.length > 0 && (this.arrivals[0] as Arrival).at < nowMs - WINDOW_MS) this.arrivals.shift();
    const offsets = this.arrivals.map((a) => a.offset).sort((a, b) => a - b);
    const least = offsets[0] as number;
    this.latenessMs = (offsets[Math.floor((offsets.length - 1) * 0.95)] as number) - least;
    this.slewTo(least, nowMs);
  }

  /** Takes note of a ping sent at `sentMs` and answered at `nowMs`. */
  ponged(sentMs: number, nowMs: number): void {
    this.rtts.push(Math.max(0, nowMs - sentMs));
    if (this.rtts.length > PINGS) this.rtts.shift();
    this.rttMs = [...this.rtts].sort((a, b) => a - b)[Math.floor(this.rtts.length / 2)] as number;
  }

  /** The fractional tick that arrives at `nowMs` when nothing is late; null before the first frame. */
  tickAt(nowMs: number): number | null {
    return this.anchor === null ? null : (nowMs - this.anchor) / TICK_MS;
  }

  /** How fast the server ticks against what it promised, 0.25..1: under load it may run in slow motion. */
  get pace(): number {
    const first = this.arrivals[0];
    const last = this.arrivals[this.arrivals.length - 1];
    if (!first || !last || last.at - first.at < WINDOW_MS / 4) return 1;
    const ticks = this.newest - (first.at - first.offset) / TICK_MS;
    return Math.max(0.25, Math.min(1, (ticks * TICK_MS) / (last.at - first.at)));
  }

  /** When `tick` arrives if nothing is late, in local milliseconds; null before the first frame. */
  arrivalOf(tick: number): number | null {
    return this.anchor === null ? null : this.anchor + tick * TICK_MS;
  }

  /** Moves the anchor towards `target` at most half as fast as time runs, so that nothing walks backwards. */
  private slewTo(target: number, nowMs: number): void {
    if (this.anchor === null || Math.abs(target - this.anchor) > JUMP_MS) {
      this.anchor = target;
    } else {
      const limit = Math.max(0, nowMs - this.slewedAt) * SLEW_PER_S;
      this.anchor += Math.max(-limit, Math.min(limit, target - this.anchor));
    }
    this.slewedAt = nowMs;
  }
}
