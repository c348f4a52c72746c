/** What of the talk around is written down: in a square of eighty people who greet each other, very little. */

const BESIDE_M = 2.5;
const TALK_M = 10;
const ANSWER_MS = 15_000;

/** Something that somebody said. */
export interface Spoken {
  text: string;
  /** Whether a visitor said it rather than somebody who lives here. */
  visitor: boolean;
  /** Metres from us. */
  distance: number;
}

/**
 * Tells whether a line belongs into the log; everything else is shown in a bubble only.
 *
 * @param name - Our own name.
 * @param sinceOwnMs - Time since we last said something.
 */
export function isForUs(spoken: Spoken, name: string, sinceOwnMs: number): boolean {
  if (spoken.visitor || spoken.distance < BESIDE_M) return true;
  if (sinceOwnMs < ANSWER_MS && spoken.distance < TALK_M) return true;
  return name !== "" && spoken.text.toLowerCase().includes(name.toLowerCase());
}
