import { describe, expect, it } from "vitest";
import { Clock } from "./clock";

/** Feeds 20 ticks a second whose tick n arrives at `at(n)`. */
function fed(ticks: number, at: (n: number) => number): Clock {
  const clock = new Clock();
  for (let n = 0; n < ticks; n++) clock.arrived(1000 + n, at(n));
  return clock;
}

describe("Clock", () => {
  it("knows no tick before the first frame", () => {
    expect(new Clock().tickAt(5)).toBeNull();
  });

  it("counts on between frames that come on time", () => {
    const clock = fed(40, (n) => 300 + 50 * n);
    expect(clock.tickAt(300 + 50 * 39 + 25)).toBeCloseTo(1039.5, 6);
    expect(clock.latenessMs).toBeCloseTo(0, 6);
  });

  it("takes the 95th percentile of lateness, not the rare worst", () => {
    const clock = fed(100, (n) => 50 * n + (n % 10 === 0 ? 30 : 0) + (n === 50 ? 400 : 0));
    expect(clock.latenessMs).toBe(30);
  });

  it("follows a server that runs slow without ever counting back", () => {
    const clock = new Clock();
    let last = 0;
    for (let n = 0; n < 400; n++) {
      clock.arrived(n, 60 * n);
      const tick = clock.tickAt(60 * n) as number;
      expect(tick).toBeGreaterThanOrEqual(last);
      last = tick;
    }
    // A window of 5 s at 16.7 ticks a second lags by at most the drift within that window.
    expect(Math.abs(last - 399)).toBeLessThan(20);
  });

  it("tells how fast a server in slow motion ticks", () => {
    expect(fed(60, (n) => 125 * n).pace).toBeCloseTo(0.4, 2);
    expect(fed(60, (n) => 50 * n).pace).toBeCloseTo(1, 2);
    expect(new Clock().pace).toBe(1);
  });

  it("starts anew after a reset", () => {
    const clock = fed(10, (n) => 50 * n);
    clock.reset();
    expect(clock.tickAt(0)).toBeNull();
    clock.arrived(7, 1000);
    expect(clock.tickAt(1050)).toBeCloseTo(8, 6);
  });

  it("takes the median of round trips", () => {
    const clock = new Clock();
    for (const rtt of [20, 22, 900, 21, 19]) clock.ponged(100, 100 + rtt);
    expect(clock.rttMs).toBe(21);
  });
});
