import { describe, expect, it } from "vitest";
import { isForUs } from "./chatter";

const LONG_AGO_MS = 60_000;

describe("isForUs", () => {
  it("keeps what visitors say, however far", () => {
    expect(isForUs({ text: "Hello", visitor: true, distance: 30 }, "Ada", LONG_AGO_MS)).toBe(true);
  });

  it("leaves out greetings between others", () => {
    expect(isForUs({ text: "Good morning.", visitor: false, distance: 6 }, "Ada", LONG_AGO_MS)).toBe(false);
  });

  it("keeps what is said beside us or with our name", () => {
    expect(isForUs({ text: "Good morning.", visitor: false, distance: 2 }, "Ada", LONG_AGO_MS)).toBe(true);
    expect(isForUs({ text: "Hello ADA!", visitor: false, distance: 9 }, "Ada", LONG_AGO_MS)).toBe(true);
  });

  it("keeps answers for a while, from near by", () => {
    expect(isForUs({ text: "The bakery.", visitor: false, distance: 5 }, "Ada", 3000)).toBe(true);
    expect(isForUs({ text: "The bakery.", visitor: false, distance: 12 }, "Ada", 3000)).toBe(false);
  });

  it("finds no empty name in every line", () => {
    expect(isForUs({ text: "Good morning.", visitor: false, distance: 9 }, "", LONG_AGO_MS)).toBe(false);
  });
});
