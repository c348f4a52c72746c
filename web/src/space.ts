/** Between the server's frame (z up, metres) and three.js's (y up). */

import type { Vector3 } from "three";

/** Puts a point of the server's frame into `out`, in three.js's frame. */
export function toScene(x: number, y: number, z: number, out: Vector3): Vector3 {
  return out.set(x, z, -y);
}

/** The server's heading of a three.js direction; 0 along +x, counter-clockwise seen from above. */
export function headingOf(direction: Vector3): number {
  return Math.atan2(-direction.z, direction.x);
}
