import { describe, expect, it } from "vitest";
import { ordered, type Row } from "./roll";

const row = (id: number, distance: number, visitor = false): Row => ({ id, title: `N${id}`, visitor, distance, colour: "#000" });

describe("ordered", () => {
  it("puts visitors first, then the nearest, and last who is out of sight", () => {
    const rows = [row(1, -1), row(2, 9), row(3, 4), row(4, 30, true), row(5, -1, true)];
    expect(ordered(rows).map((each) => each.id)).toEqual([4, 5, 3, 2, 1]);
  });

  it("stops at 120", () => {
    expect(ordered(Array.from({ length: 300 }, (_, i) => row(i, i)))).toHaveLength(120);
  });
});
