/** Who is around: tracks, names and the own prediction brought together for this picture. */

import type { Vector3 } from "three";
import type { Drawn } from "./avatars";
import { Tracks, type Pose } from "./interpolate";
import { People, VISITOR_KIND } from "./people";
import type { Predictor } from "./predict";

/** Somebody else in sight of the server's frames. */
export interface Neighbour {
  id: number;
  title: string;
  visitor: boolean;
  /** Metres from us. */
  distance: number;
  x: number;
  y: number;
  speed: number;
  posture: number;
}

export class Company {
  readonly tracks = new Tracks();
  readonly people = new People();
  /** Our own entity id. */
  entity = 0;
  /** Everybody as of the last picture. */
  drawn: Drawn[] = [];

  constructor(private readonly own: Predictor) {}

  get level(): number {
    return this.tracks.byId.get(this.entity)?.last.level ?? 0;
  }

  get seated(): boolean {
    return (this.tracks.byId.get(this.entity)?.last.posture ?? 0) > 0;
  }

  /** Brings everybody up to this moment, `eye` being the camera in three.js's frame. */
  update(eye: Vector3, dtS: number): void {
    this.drawn = [];
    for (const track of this.tracks.byId.values()) {
      const own = track.id === this.entity;
      const { x, y, z, yaw, speed }: Pose = own ? this.own : track.pose;
      const { posture, emote, speaking, visitor } = track.last;
      track.walked += speed * dtS;
      const look = this.people.get(track.id)?.look ?? track.id;
      const distance = Math.hypot(x - eye.x, y + eye.z, z + 1.4 - eye.y);
      const { id, walked } = track;
      this.drawn.push({ id, x, y, z, yaw, speed, posture, emote, speaking, visitor, walked, look, own, distance });
    }
  }

  poseOf(id: number): Pose | null {
    return id === this.entity ? this.own : (this.tracks.byId.get(id)?.pose ?? null);
  }

  nameOf(id: number): { title: string; visitor: boolean } | null {
    const person = this.people.get(id);
    return person ? { title: person.title, visitor: person.kind === VISITOR_KIND } : null;
  }

  /** Everybody else in sight, nearest first. */
  near(): Neighbour[] {
    const list: Neighbour[] = [];
    for (const each of this.drawn) {
      const name = this.nameOf(each.id);
      if (!name || each.own) continue;
      const { id, x, y, speed, posture } = each;
      list.push({ id, x, y, speed, posture, ...name, distance: Math.hypot(x - this.own.x, y - this.own.y) });
    }
    return list.sort((a, b) => a.distance - b.distance);
  }
}
