/** Things that change: doors swing, and loose things go where their holder goes. */

import { Object3D, Vector3 } from "three";
import { remaining } from "./angles";
import type { Scenery } from "./scenery";
import type { Thing, ThingChanged } from "./wire.generated";

/** The interaction of doors and cupboards. */
export const OPEN = 2;

/** Kind codes of things that two carry, each at one end. */
const FOR_TWO = new Set([155]);

const SWING_RAD = 1.75;
const REACH_M = 2.2;
const VERBS = ["", "Sit on", "Open", "Pick up", "Press", "Read", "Lie on"];

interface Holder {
  x: number;
  y: number;
  z: number;
  yaw: number;
}

interface Moving {
  thing: Thing;
  node: Object3D;
  /** Heading of the node as authored. */
  restTurn: number;
  /** How far open, 0..1. */
  share: number;
}

export class Things {
  list: Thing[] = [];
  private moving: Moving[] = [];

  /** Begins anew with the things of a welcome or an edited scene. */
  reset(list: readonly Thing[]): void {
    this.list = list.map((thing) => ({ ...thing }));
  }

  /** Takes hold of the nodes of a freshly loaded scene. */
  bind(scenery: Scenery): void {
    this.moving = [];
    for (const thing of this.list) {
      const node = scenery.movable.get(thing.name);
      if (node) this.moving.push({ thing, node, restTurn: headingOf(node), share: thing.state ? 1 : 0 });
    }
  }

  change({ i, state, holder, position, partner, yaw }: ThingChanged): void {
    const thing = this.list.find((each) => each.i === i);
    if (thing) Object.assign(thing, { state, holder, position, partner, yaw: yaw ?? thing.yaw });
  }

  /**
   * Moves everything on by `dtS` seconds.
   *
   * @param holder - Answers where the avatar of an entity id is, if it is in sight.
   */
  update(dtS: number, holder: (id: number) => Holder | null): void {
    for (const each of this.moving) {
      if (each.thing.interaction === OPEN) swing(each, dtS);
      else carry(each, holder);
    }
  }

  /** The thing that E would use: the nearest in reach, those ahead first; null when none is. */
  nearest(from: Holder, level: number): Thing | null {
    let best: Thing | null = null;
    let least = REACH_M;
    for (const thing of this.list) {
      const taken = FOR_TWO.has(thing.kind) ? thing.partner : thing.holder;
      if (thing.level !== level || taken >= 0) continue;
      const dx = thing.position[0] - from.x;
      const dy = thing.position[1] - from.y;
      const ahead = (dx * Math.cos(from.yaw) + dy * Math.sin(from.yaw)) / Math.max(0.1, Math.hypot(dx, dy));
      const cost = Math.hypot(dx, dy) * (1.25 - 0.25 * ahead);
      if (cost < least) [best, least] = [thing, cost];
    }
    return best;
  }

  heldBy(entity: number): Thing | undefined {
    return this.list.find((thing) => thing.holder === entity || thing.partner === entity);
  }
}

/** What using a thing would do, in words. */
export function promptFor(thing: Thing): string {
  const title = thing.title || thing.name;
  if (thing.interaction === OPEN && thing.state) return `Close ${title}`;
  if (FOR_TWO.has(thing.kind)) return `Take ${thing.holder < 0 ? "an" : "the other"} end of ${title}`;
  return `${VERBS[thing.interaction] ?? "Use"} ${title}`;
}

function swing(each: Moving, dtS: number): void {
  const wanted = each.thing.state ? 1 : 0;
  each.share += (wanted - each.share) * (1 - remaining(dtS, 0.12));
  // The scene's writer puts the node of a door at its hinge.
  each.node.rotation.set(0, each.restTurn + each.share * SWING_RAD, 0);
}

function headingOf(node: Object3D): number {
  const ahead = new Vector3(1, 0, 0).applyQuaternion(node.quaternion);
  return Math.atan2(-ahead.z, ahead.x);
}

function carry(each: Moving, holder: (id: number) => Holder | null): void {
  const by = each.thing.holder >= 0 ? holder(each.thing.holder) : null;
  if (FOR_TWO.has(each.thing.kind)) return bear(each, by, each.thing.partner >= 0 ? holder(each.thing.partner) : null);
  if (!by) {
    const [x, y, z] = each.thing.position;
    each.node.position.set(x, z, -y);
    return;
  }
  const ahead = 0.28;
  const right = 0.26;
  const x = by.x + ahead * Math.cos(by.yaw) + right * Math.sin(by.yaw);
  const y = by.y + ahead * Math.sin(by.yaw) - right * Math.cos(by.yaw);
  each.node.position.set(x, by.z + 0.95, -y);
  each.node.rotation.set(0, by.yaw, 0);
}

/** Puts what two carry between their hands; what one or nobody holds lies. */
function bear(each: Moving, one: Holder | null, other: Holder | null): void {
  if (!one || !other) {
    const [x, y, z] = each.thing.position;
    each.node.position.set(x, z, -y);
    each.node.rotation.set(0, each.thing.yaw, 0);
    return;
  }
  each.node.position.set((one.x + other.x) / 2, (one.z + other.z) / 2 + 0.65, -(one.y + other.y) / 2);
  each.node.rotation.set(0, Math.atan2(other.y - one.y, other.x - one.x), 0);
}
