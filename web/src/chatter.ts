/** What of the talk around is written down: in a square of eighty people who greet each other, very little. */

const BESIDE_M = 2.5;
const TALK_M = 10;
const ANSWER_MS = 15_000;
/** Between two lines that are written down only because they were said beside us. */
const OVERHEARD_EVERY_MS = 12_000;

/** Something that somebody said. */
export interface Spoken {
  text: string;
  /** Whether a visitor said it rather than somebody who lives here. */
  visitor: boolean;
  /** Metres from us. */
  distance: number;
}

/** Chooses the lines for the log; everything else is shown in a bubble only. */
export class Chatter {
  private spokeAt = -Infinity;
  private overheardAt = -Infinity;

  /** Notices that we said something: answers follow. */
  spoke(nowMs: number): void {
    this.spokeAt = nowMs;
  }

  /**
   * Tells whether a line belongs into the log.
   *
   * @param name - Our own name.
   */
  isForUs(spoken: Spoken, name: string, nowMs: number): boolean {
    if (spoken.visitor) return true;
    if (nowMs - this.spokeAt < ANSWER_MS && spoken.distance < TALK_M) return true;
    if (name !== "" && spoken.text.toLowerCase().includes(name.toLowerCase())) return true;
    if (spoken.distance >= BESIDE_M || nowMs - this.overheardAt < OVERHEARD_EVERY_MS) return false;
    this.overheardAt = nowMs;
    return true;
  }
}
