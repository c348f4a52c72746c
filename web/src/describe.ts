/** The world in words: where one stands, who and what is near and in which direction. */

import type { Pose } from "./interpolate";
import { bearing } from "./interpolate";

export interface Near {
  title: string;
  x: number;
  y: number;
  /** What it is doing, or empty. */
  doing: string;
}

const SIDES = ["ahead", "ahead on the left", "on the left", "behind on the left", "behind", "behind on the right", "on the right", "ahead on the right"];
const WINDS = ["east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east"];

/** Returns the direction of an angle counter-clockwise from ahead, in words. */
export function side(angle: number): string {
  return SIDES[eighth(angle)] as string;
}

/** Returns the compass direction of a heading; north is +y. */
export function wind(yaw: number): string {
  return WINDS[eighth(yaw)] as string;
}

/** Returns one paragraph about the surroundings. */
export function describe(world: string, own: Pose, people: Near[], things: Near[]): string {
  const lines = [`You are in ${world}, facing ${wind(own.yaw)}.`];
  const who = nearest(own, people, 15).slice(0, 5);
  lines.push(who.length ? `Near you: ${who.map((each) => phrase(own, each)).join("; ")}.` : "Nobody is within 15 metres.");
  const what = nearest(own, things, 8).slice(0, 4);
  if (what.length) lines.push(`In reach of a few steps: ${what.map((each) => phrase(own, each)).join("; ")}.`);
  return lines.join(" ");
}

function phrase(own: Pose, each: Near): string {
  const { angle, distance } = bearing(own, each);
  const doing = each.doing ? `, ${each.doing}` : "";
  return `${each.title} ${metres(distance)} ${side(angle)}${doing}`;
}

function nearest(own: Pose, list: Near[], reach: number): Near[] {
  const away = (each: Near) => Math.hypot(each.x - own.x, each.y - own.y);
  return list.filter((each) => away(each) < reach).sort((a, b) => away(a) - away(b));
}

function metres(distance: number): string {
  const whole = Math.max(1, Math.round(distance));
  return whole === 1 ? "1 metre" : `${whole} metres`;
}

function eighth(angle: number): number {
  return ((Math.round(angle / (Math.PI / 4)) % 8) + 8) % 8;
}
