import { Object3D } from "three";
import { describe, expect, it } from "vitest";
import type { Scenery } from "./scenery";
import { promptFor, Things } from "./things";
import type { Thing, ThingChanged } from "./wire.generated";

const LYING: Thing = {
  i: 4, name: "stretcher", title: "", kind: 155, state: 0, position: [1, 2, 0], yaw: 0.5, level: 0, interaction: 3,
  holder: -1, partner: -1,
};
const HANDS = new Map([
  [11, { x: 0, y: 0, z: 0, yaw: 0 }],
  [12, { x: 0, y: 2, z: 0, yaw: 3 }],
]);

function held(holder: number, partner: number, yaw: number | null = null): ThingChanged {
  return { t: "thing", seq: 1, i: 4, state: 0, holder, position: [1, 2, 0], partner, yaw };
}

function shown(...changes: ThingChanged[]): { node: Object3D; things: Things } {
  const things = new Things();
  const node = new Object3D();
  things.reset([LYING]);
  things.bind({ movable: new Map([["stretcher", node]]) } as unknown as Scenery);
  for (const change of changes) things.change(change);
  things.update(0.05, (id) => HANDS.get(id) ?? null);
  return { node, things };
}

describe("what two carry", () => {
  it("hangs between both hands, along the line between them", () => {
    const { node } = shown(held(11, 12));
    expect([node.position.x, node.position.z]).toEqual([0, -1]);
    expect(node.position.y).toBeCloseTo(0.65);
    expect(node.rotation.y).toBeCloseTo(Math.PI / 2);
  });

  it("lies where it is while one holds one end, and as it fell when nobody does", () => {
    expect(shown(held(11, -1)).node.position.toArray()).toEqual([1, 0, -2]);
    const { node } = shown(held(11, 12), held(-1, -1, 1.25));
    expect(node.position.toArray()).toEqual([1, 0, -2]);
    expect(node.rotation.y).toBeCloseTo(1.25);
  });

  it("lies where it was when one of the two is out of sight", () => {
    expect(shown(held(11, 99)).node.position.toArray()).toEqual([1, 0, -2]);
  });

  it("can be taken until both ends are", () => {
    const here = { x: 0, y: 2, z: 0, yaw: 0 };
    const first = shown().things.nearest(here, 0);
    expect(first && promptFor(first)).toBe("Take an end of stretcher");
    const second = shown(held(11, -1)).things.nearest(here, 0);
    expect(second && promptFor(second)).toBe("Take the other end of stretcher");
    const { things } = shown(held(11, 12));
    expect(things.nearest(here, 0)).toBeNull();
    expect(things.heldBy(12)?.name).toBe("stretcher");
  });
});
