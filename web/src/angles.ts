/** Angles in radians. */

/** Returns the same direction within −π..π. */
export function wrapped(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}

/** Returns the direction a share `t` of the short way from `from` to `to`. */
export function turned(from: number, to: number, t: number): number {
  return wrapped(from + wrapped(to - from) * t);
}

/** Returns how much of a gap remains to be closed after `dtS` seconds by an ease with time constant `tauS`. */
export function remaining(dtS: number, tauS: number): number {
  return Math.exp(-dtS / tauS);
}
