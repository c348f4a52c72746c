import { describe, expect, it } from "vitest";
import { Chatter } from "./chatter";

const greeting = (distance: number, text = "Good morning.") => ({ text, visitor: false, distance });

describe("Chatter", () => {
  it("keeps what visitors say, however far", () => {
    expect(new Chatter().isForUs({ text: "Hello", visitor: true, distance: 30 }, "Ada", 0)).toBe(true);
  });

  it("leaves out greetings between others", () => {
    expect(new Chatter().isForUs(greeting(6), "Ada", 0)).toBe(false);
  });

  it("keeps what is said with our name", () => {
    expect(new Chatter().isForUs(greeting(9, "Hello ADA!"), "Ada", 0)).toBe(true);
  });

  it("keeps what is said beside us, but not the greetings of a whole crowd", () => {
    const chatter = new Chatter();
    expect(chatter.isForUs(greeting(2), "Ada", 0)).toBe(true);
    expect(chatter.isForUs(greeting(1), "Ada", 3000)).toBe(false);
    expect(chatter.isForUs(greeting(1, "Hello Ada!"), "Ada", 3000)).toBe(true);
    expect(chatter.isForUs(greeting(1), "Ada", 13_000)).toBe(true);
  });

  it("keeps answers for a while, from near by", () => {
    const chatter = new Chatter();
    chatter.spoke(0);
    expect(chatter.isForUs(greeting(5), "Ada", 3000)).toBe(true);
    expect(chatter.isForUs(greeting(12), "Ada", 3000)).toBe(false);
    expect(chatter.isForUs(greeting(5), "Ada", 16_000)).toBe(false);
  });

  it("finds no empty name in every line", () => {
    expect(new Chatter().isForUs(greeting(9), "", 0)).toBe(false);
  });
});
