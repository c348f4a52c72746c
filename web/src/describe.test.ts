import { describe as group, expect, it } from "vitest";
import { describe, side, wind } from "./describe";

group("describe", () => {
  it("names directions as a walker sees them", () => {
    expect(side(Math.PI / 2)).toBe("on the left");
    expect(side(-Math.PI / 2)).toBe("on the right");
    expect(side(Math.PI)).toBe("behind");
    expect(wind(Math.PI / 2)).toBe("north");
    expect(wind(-Math.PI / 2)).toBe("south");
  });

  it("tells who is near, nearest first, and leaves the far ones out", () => {
    const own = { x: 0, y: 0, z: 0, yaw: 0, speed: 0 };
    const text = describe(
      "Lindenau",
      own,
      [
        { title: "Ben", x: 5, y: 0, doing: "walking" },
        { title: "Ada", x: 0, y: 2, doing: "sitting" },
        { title: "Cem", x: 90, y: 0, doing: "" },
      ],
      [],
    );
    expect(text).toBe(
      "You are in Lindenau, facing east. Near you: Ada 2 metres on the left, sitting; Ben 5 metres ahead, walking.",
    );
  });

  it("says so when nobody is there", () => {
    expect(describe("Lindenau", { x: 0, y: 0, z: 0, yaw: 0, speed: 0 }, [], [])).toContain("Nobody is within 15 metres.");
  });
});
