import { describe, expect, it } from "vitest";
import { Walls } from "./walls";

/** A wall along y at x = 5, from y = 2 to 8 and up to 3 m, as two triangles; and a floor. */
function walled(): Walls {
  const walls = new Walls({ minX: 0, minY: 0, maxX: 10, maxY: 10 });
  walls.add([5, 2, 0, 5, 8, 0, 5, 8, 3, 5, 2, 3], [0, 1, 2, 0, 2, 3]);
  walls.add([0, 0, 0, 10, 0, 0, 10, 10, 0.01], [0, 1, 2]);
  return walls;
}

describe("Walls", () => {
  it("stops sight at a wall but not beside or above it", () => {
    const walls = walled();
    expect(walls.sight(1, 5, 1.6, 9, 5, 1.6)).toBeCloseTo(0.5, 1);
    expect(walls.sight(1, 1, 1.6, 9, 1, 1.6)).toBe(1);
    expect(walls.sight(1, 5, 3.5, 9, 5, 3.5)).toBe(1);
  });

  it("knows openings: one walks through a door and looks over a sill", () => {
    const walls = new Walls({ minX: 0, minY: 0, maxX: 10, maxY: 10 });
    const quad = (y0: number, y1: number, z0: number, z1: number) => {
      walls.add([5, y0, z0, 5, y1, z0, 5, y1, z1, 5, y0, z1], [0, 1, 2, 0, 2, 3]);
    };
    quad(4, 5, 2.1, 2.8);
    quad(7, 8, 0, 0.9);
    quad(7, 8, 2.1, 5.6);
    expect(walls.slide(4.8, 4.5, 4.9, 4.5, 0)).toEqual({ x: 4.9, y: 4.5 });
    expect(walls.solid(5, 4.5, 2.3)).toBe(true);
    expect(walls.sight(1, 7.5, 1.6, 9, 7.5, 1.6)).toBe(1);
    expect(walls.sight(1, 7.5, 0.6, 9, 7.5, 0.6)).toBeLessThan(1);
    expect(walls.slide(4.8, 7.5, 4.9, 7.5, 2.8)).toEqual({ x: 4.8, y: 7.5 });
  });

  it("lets walkers slide along", () => {
    const walls = walled();
    const there = walls.slide(4.75, 5, 4.85, 5.1, 0);
    expect(there).toEqual({ x: 4.75, y: 5.1 });
    expect(walls.slide(1, 1, 1.1, 1.1, 0)).toEqual({ x: 1.1, y: 1.1 });
  });

  it("has nothing outside what it covers", () => {
    expect(walled().solid(50, 50, 1)).toBe(false);
  });
});
