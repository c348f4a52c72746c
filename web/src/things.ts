/** Things that change: doors swing, and loose things go where their holder goes. */

import { Object3D, Vector3 } from "three";
import { remaining } from "./angles";
import type { Scenery } from "./scenery";
import type { Thing } from "./wire.generated";

/** The interaction of doors and cupboards. */
export const OPEN = 2;

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

  change(i: number, state: number, holder: number, position: [number, number, number]): void {
    const thing = this.list.find((each) => each.i === i);
    if (thing) Object.assign(thing, { state, holder, position });
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
      if (thing.level !== level || thing.holder >= 0) continue;
      const dx = thing.position[0] - from.x;
      const dy = thing.position[1] - from.y;
      const ahead = (dx * Math.cos(from.yaw) + dy * Math.sin(from.yaw)) / Math.max(0.1, Math.hypot(dx, dy));
      const cost = Math.hypot(dx, dy) * (1.25 - 0.25 * ahead);
      if (cost < least) [best, least] = [thing, cost];
    }
    return best;
  }

  heldBy(entity: number): Thing | undefined {
    return this.list.find((thing) => thing.holder === entity);
  }
}

/** What using a thing would do, in words. */
export function promptFor(thing: Thing): string {
  const title = thing.title || thing.name;
  if (thing.interaction === OPEN && thing.state) return `Close ${title}`;
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
