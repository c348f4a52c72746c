/**
 * Plays other avatars back smoothly from samples that arrive 4 or 20 times a second.
 *
 * Each avatar is shown a little in the past, just far enough that the next sample has usually arrived: its own
 * sampling interval plus the 95th percentile of lateness. When nothing came in time it coasts on for a moment.
 */

import { turned, wrapped } from "./angles";
import { TICK_HZ, type CellFrame, type Sample } from "./codec";

const KEPT = 8;
const COAST_TICKS = 6;
const TELEPORT_M = 6;
const FORGET_TICKS = TICK_HZ;
const DELAY_EASE = 0.05;

/** Where one avatar is drawn. Metres and radians in the world's z-up frame. */
export interface Pose {
  x: number;
  y: number;
  z: number;
  yaw: number;
  speed: number;
}

interface Timed extends Sample {
  tick: number;
}

/** One avatar's recent samples. */
export class Track {
  readonly pose: Pose;
  /** Metres walked since first seen: the phase of the gait. */
  walked = 0;
  /** The newest sample: what does not interpolate (posture, emote, level, flags) is read here. */
  last: Timed;

  private samples: Timed[];
  private delay: number;

  constructor(
    readonly id: number,
    first: Sample,
    tick: number,
  ) {
    this.last = { ...first, tick };
    this.samples = [this.last];
    this.pose = { x: first.x, y: first.y, z: first.z, yaw: first.yaw, speed: first.speed };
    this.delay = 1;
  }

  /** Takes the sample of a tick; older ones than the newest are ignored. */
  push(sample: Sample, tick: number): void {
    if (tick <= this.last.tick) return;
    const gone = Math.hypot(sample.x - this.last.x, sample.y - this.last.y, sample.z - this.last.z);
    const timed = { ...sample, tick };
    if (gone > TELEPORT_M) this.samples = [];
    this.samples.push(timed);
    if (this.samples.length > KEPT) this.samples.shift();
    this.last = timed;
  }

  /**
   * Moves `pose` to where the avatar was just before `tickNow`.
   *
   * @param tickNow - Fractional tick that is arriving now.
   * @param lateTicks - How late ticks tend to be.
   */
  advance(tickNow: number, lateTicks: number): void {
    const wanted = this.interval() + lateTicks;
    this.delay += (wanted - this.delay) * (wanted > this.delay ? 4 * DELAY_EASE : DELAY_EASE);
    this.place(tickNow - this.delay);
  }

  /** Ticks between the last samples: 1 nearby, 5 for far cells. */
  private interval(): number {
    const before = this.samples[this.samples.length - 2];
    return before ? Math.min(6, this.last.tick - before.tick) : 1;
  }

  private place(tick: number): void {
    const samples = this.samples;
    let after = samples.length - 1;
    while (after > 0 && (samples[after - 1] as Timed).tick > tick) after--;
    const b = samples[after] as Timed;
    const a = samples[after - 1];
    if (a) this.between(a, b, Math.min(1 + COAST_TICKS / (b.tick - a.tick), (tick - a.tick) / (b.tick - a.tick)));
    else this.between(b, b, 0);
  }

  /** Places at a share `t` of the way from a to b; above 1 it coasts, ever slower. */
  private between(a: Timed, b: Timed, t: number): void {
    const share = t <= 1 ? Math.max(0, t) : 1 + (1 - Math.exp(1 - t)) * 0.6;
    const pose = this.pose;
    pose.x = a.x + (b.x - a.x) * share;
    pose.y = a.y + (b.y - a.y) * share;
    pose.z = a.z + (b.z - a.z) * Math.min(1, share);
    pose.yaw = turned(a.yaw, b.yaw, Math.min(1, share));
    pose.speed = a.speed + (b.speed - a.speed) * Math.min(1, share);
  }
}

/** All avatars that the server currently shows us, by entity id. */
export class Tracks {
  readonly byId = new Map<number, Track>();
  /** The newest tick seen; 0 before the first frame. */
  newest = 0;

  /** Forgets everyone; for a new server epoch. */
  clear(): void {
    this.byId.clear();
    this.newest = 0;
  }

  take(frame: CellFrame): void {
    this.newest = Math.max(this.newest, frame.tick);
    for (const sample of frame.samples) {
      const track = this.byId.get(sample.id);
      if (track) track.push(sample, frame.tick);
      else this.byId.set(sample.id, new Track(sample.id, sample, frame.tick));
    }
  }

  /** Drops who has not been in any frame for one second of server time; returns their ids. */
  forget(): number[] {
    const gone: number[] = [];
    for (const [id, track] of this.byId) {
      if (this.newest - track.last.tick > FORGET_TICKS) gone.push(id);
    }
    for (const id of gone) this.byId.delete(id);
    return gone;
  }

  advance(tickNow: number, lateTicks: number): void {
    for (const track of this.byId.values()) track.advance(tickNow, lateTicks);
  }
}

/** Returns the direction and distance of `to` seen by someone at `from` facing `from.yaw`; counter-clockwise positive. */
export function bearing(from: Pose, to: { x: number; y: number }): { angle: number; distance: number } {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  return { angle: wrapped(Math.atan2(dy, dx) - from.yaw), distance: Math.hypot(dx, dy) };
}
