import { describe, expect, it } from "vitest";
import { requestOf, whereabouts, type Wish } from "./district";
import type { Building } from "./wire.generated";

const wish: Wish = { kind: "cafe", seed: "3", tags: ["cozy"], size: "", at: null };
const stands: Building = { t: "building", seq: 1, id: 1, kind: "cafe", seed: 3, doing: "it stands", share: 1, at: [0, -44] };

describe("district", () => {
  it("asks for what was typed", () => {
    expect(requestOf(wish)).toEqual({ kind: "cafe", seed: 3, tags: ["cozy"], size_m: null, at: null });
    expect(requestOf({ ...wish, size: "14", at: ["-60", "10.5"] })).toMatchObject({ size_m: 14, at: [-60, 10.5] });
  });

  it("says what is wrong before anything is sent", () => {
    expect(requestOf({ ...wish, seed: "" })).toMatch(/seed/);
    expect(requestOf({ ...wish, seed: "1.5" })).toMatch(/seed/);
    expect(requestOf({ ...wish, seed: "-1" })).toMatch(/seed/);
    expect(requestOf({ ...wish, size: "wide" })).toMatch(/size/);
    expect(requestOf({ ...wish, at: ["", "2"] })).toMatch(/point/);
  });

  it("tells where it stands", () => {
    expect(whereabouts(stands, { x: 0, y: 0 })).toBe("Cafe 3 stands; its entrance is 44 metres to the south.");
    expect(whereabouts({ ...stands, at: null }, { x: 0, y: 0 })).toBe("Cafe 3 stands.");
  });
});
