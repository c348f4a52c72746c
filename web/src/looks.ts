/** What people wear: one colour for each part of the body, drawn from the seed of their appearance. */

import { Color } from "three";

export const PARTS = ["skin", "hair", "shirt", "trousers", "shoes"] as const;
export type Part = (typeof PARTS)[number];
export type Look = Record<Part, Color>;

const CHOICES: Record<Part, string[]> = {
  skin: ["#f1c7a5", "#e2ad85", "#c68a60", "#a06a45", "#7a4d33", "#f5d5bb"],
  hair: ["#2f2522", "#5a3a28", "#8a5a34", "#c99b55", "#a8492f", "#8d8a87"],
  shirt: [
    ...["#3f7f7c", "#d9735a", "#d9a441", "#4a6484", "#84597a", "#8a9a6b", "#b9ab99", "#f2ece1"],
    ...["#2f8f8b", "#e0694f", "#e2ac45", "#3e5f86", "#7f5276", "#6f9b54", "#c98bc0", "#cdd8d6"],
  ],
  trousers: ["#3b4656", "#5a5048", "#6f6a5d", "#2f3338", "#7a6a55", "#4d5f6b"],
  shoes: ["#3a2f2a", "#5b4436", "#e6e0d5", "#2d3036"],
};

const looks = new Map<number, Look>();

/** Returns the look of a seed, always the same one. */
export function lookOf(seed: number): Look {
  let look = looks.get(seed);
  if (!look) {
    look = Object.fromEntries(PARTS.map((part, i) => [part, pick(CHOICES[part], seed, i)])) as Look;
    looks.set(seed, look);
  }
  return look;
}

/** Returns a height factor of about 1, so that a crowd has no common eye line. */
export function statureOf(seed: number): number {
  return 0.93 + 0.1 * fraction(seed, 9);
}

function pick(codes: string[], seed: number, salt: number): Color {
  return new Color(codes[Math.floor(fraction(seed, salt) * codes.length)]);
}

/** Returns 0 ≤ x < 1, well mixed over neighbouring seeds and salts. */
export function fraction(seed: number, salt: number): number {
  let h = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
