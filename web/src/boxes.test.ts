import { describe, expect, it } from "vitest";
import { claims, inView, type Box } from "./boxes";

const box = (left: number, top: number, width = 20, height = 10): Box => ({ left, top, right: left + width, bottom: top + height });

describe("claims", () => {
  it("takes a free place and refuses one that is taken in part", () => {
    const taken: Box[] = [box(0, 0)];
    expect(claims(box(19, 9), taken)).toBe(false);
    expect(taken).toHaveLength(1);
    expect(claims(box(20, 0), taken)).toBe(true);
    expect(claims(box(25, 5), taken)).toBe(false);
  });
});

describe("inView", () => {
  it("moves a box in from either side and keeps its size", () => {
    expect(inView(box(-8, 5), 100)).toEqual(box(4, 5));
    expect(inView(box(95, 5), 100)).toEqual(box(76, 5));
    expect(inView(box(40, 5), 100)).toEqual(box(40, 5));
  });

  it("shows the beginning of what is wider than the window", () => {
    expect(inView(box(10, 5, 200), 100).left).toBe(4);
  });
});
