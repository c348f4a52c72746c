/** Speaks to screen readers: who comes near, and what else is worth a word, never in a flood. */

import { byId } from "./dom";

const NEAR_M = 4;
const AWAY_M = 8;
const PAUSE_MS = 3500;

export class Announcer {
  private readonly line = byId("announcer");
  private readonly near = new Set<number>();
  private readonly waiting: string[] = [];
  private spokeAt = -Infinity;

  /** Says a sentence soon; older ones that nobody heard yet give way. */
  say(sentence: string): void {
    this.waiting.push(sentence);
    if (this.waiting.length > 3) this.waiting.shift();
  }

  /** Notices who came within four metres, and speaks if it is time. */
  update(people: { id: number; title: string; distance: number }[], nowMs: number): void {
    for (const each of people) {
      if (each.distance > AWAY_M) this.near.delete(each.id);
      else if (each.distance < NEAR_M && !this.near.has(each.id)) {
        this.near.add(each.id);
        this.say(`${each.title} is near you.`);
      }
    }
    if (nowMs - this.spokeAt < PAUSE_MS || !this.waiting.length) return;
    this.line.textContent = this.waiting.splice(0).join(" ");
    this.spokeAt = nowMs;
  }
}
