/** The viewer's eye: behind the avatar, in its head, or circling over the world before joining. */

import { PerspectiveCamera, Vector3 } from "three";
import { remaining, wrapped } from "./angles";
import type { Walls } from "./walls";

const EYE_M = 1.62;
/** Above the seat's surface, where the server says a sitter is. */
const SEATED_EYE_M = 0.75;
const NEAREST_M = 0.9;
const FARTHEST_M = 14;
const PITCH_LIMIT = 1.35;
const ORBIT_RAD_PER_S = 0.022;

export class ViewCamera {
  /** Where the viewer looks, server's headings: yaw counter-clockwise from +x, pitch up. */
  yaw = 0;
  pitch = -0.2;
  /** Wanted distance behind the avatar, metres; below 0.9 the view is from its eyes. */
  distance = 4.4;

  private shown = 4.4;
  private readonly focus = new Vector3();
  private eyeHeight = EYE_M;
  private orbitAngle = 0.9;

  constructor(private readonly camera: PerspectiveCamera) {}

  get firstPerson(): boolean {
    return this.distance < NEAREST_M;
  }

  turn(dYaw: number, dPitch: number): void {
    this.yaw = wrapped(this.yaw + dYaw);
    this.pitch = Math.max(-PITCH_LIMIT, Math.min(PITCH_LIMIT, this.pitch + dPitch));
  }

  /** Moves nearer (negative) or away by notches of a wheel. */
  zoom(notches: number): void {
    const wanted = this.distance * 1.15 ** notches;
    if (this.firstPerson) this.distance = notches > 0 ? 1.2 : 0;
    else this.distance = wanted < NEAREST_M ? 0 : Math.min(FARTHEST_M, wanted);
  }

  togglePerson(): void {
    this.distance = this.firstPerson ? 4.4 : 0;
  }

  /** Follows an avatar at a place of the server's frame. */
  follow(at: { x: number; y: number; z: number }, seated: boolean, walls: Walls | null, dtS: number): void {
    const ease = 1 - remaining(dtS, 0.15);
    this.eyeHeight += ((seated ? SEATED_EYE_M : EYE_M) - this.eyeHeight) * ease;
    this.focus.set(at.x, at.y, at.z + this.eyeHeight);
    const wanted = this.firstPerson ? 0 : this.clear(walls);
    // In at once when a wall comes between, out again slowly.
    this.shown = wanted < this.shown ? wanted : this.shown + (wanted - this.shown) * (1 - remaining(dtS, 0.25));
    if (wanted < this.shown + 0.05 && this.firstPerson) this.shown = 0;
    this.apply();
  }

  /** Circles over a world with that middle and radius, three.js frame. */
  orbit(middle: Vector3, radius: number, dtS: number, still: boolean): void {
    if (!still) this.orbitAngle += ORBIT_RAD_PER_S * dtS;
    const away = Math.min(95, Math.max(26, radius * 0.62));
    const height = away * 0.36;
    this.camera.position.set(
      middle.x + Math.cos(this.orbitAngle) * away,
      middle.y + height,
      middle.z + Math.sin(this.orbitAngle) * away,
    );
    this.camera.lookAt(middle.x, middle.y + 4, middle.z);
  }

  /** How far back the camera can stand before a wall. */
  private clear(walls: Walls | null): number {
    if (!walls) return this.distance;
    const { x, y, z } = this.focus;
    const back = this.distance + 0.3;
    const flat = Math.cos(this.pitch);
    const share = walls.sight(
      ...([x, y, z] as const),
      x - Math.cos(this.yaw) * flat * back,
      y - Math.sin(this.yaw) * flat * back,
      z - Math.sin(this.pitch) * back,
    );
    return Math.max(0.5, share < 1 ? share * back - 0.3 : this.distance);
  }

  private apply(): void {
    const flat = Math.cos(this.pitch);
    const dx = Math.cos(this.yaw) * flat;
    const dy = Math.sin(this.yaw) * flat;
    const dz = Math.sin(this.pitch);
    const { x, y, z } = this.focus;
    const back = this.shown;
    // Never under the floor: 0.35 m above where the avatar stands.
    const height = Math.max(z - dz * back, z - this.eyeHeight + 0.35);
    this.camera.position.set(x - dx * back, height, -(y - dy * back));
    this.camera.lookAt(x + dx * 8, z + dz * 8, -(y + dy * 8));
  }
}
