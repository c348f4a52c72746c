/** Districts in words: what can be built, how far it is, and where it stands. */

import { wind } from "./describe";
import type { Building } from "./wire.generated";

/** What the server can build, by kind; see `/districts`. */
export type Offer = Record<string, { size: [number, number, number]; tags: Record<string, string> }>;

/** What the form holds, as typed. */
export interface Wish {
  kind: string;
  seed: string;
  tags: string[];
  /** Metres, empty for the usual size. */
  size: string;
  /** x and y in metres, empty for a free plot. */
  at: [string, string] | null;
}

export interface Request {
  kind: string;
  seed: number;
  tags: string[];
  size_m: number | null;
  at: [number, number] | null;
}

/** Returns the request for a wish, or one sentence that says what is wrong with it. */
export function requestOf(wish: Wish): Request | string {
  const seed = Number(wish.seed);
  if (wish.seed.trim() === "" || !Number.isSafeInteger(seed) || seed < 0) return "The seed must be a whole number from 0.";
  const size = wish.size.trim() === "" ? null : Number(wish.size);
  if (size !== null && !(size > 0)) return "The size must be a number of metres, or empty.";
  if (wish.at === null) return { kind: wish.kind, seed, tags: wish.tags, size_m: size, at: null };
  const at = wish.at.map((each) => (each.trim() === "" ? NaN : Number(each))) as [number, number];
  if (!at.every(Number.isFinite)) return "The point needs two numbers: metres to the east and to the north.";
  return { kind: wish.kind, seed, tags: wish.tags, size_m: size, at };
}

/** Returns where what was built stands, for somebody who is there. */
export function whereabouts({ kind, seed, at }: Building, own: { x: number; y: number }): string {
  const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${seed}`;
  if (!at) return `${name} stands.`;
  const [dx, dy] = [at[0] - own.x, at[1] - own.y];
  return `${name} stands; its entrance is ${Math.round(Math.hypot(dx, dy))} metres to the ${wind(Math.atan2(dy, dx))}.`;
}
