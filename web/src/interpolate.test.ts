import { describe, expect, it } from "vitest";
import type { Sample } from "./codec";
import { Track, Tracks, bearing } from "./interpolate";

function sample(over: Partial<Sample> = {}): Sample {
  const rest = { id: 7, x: 0, y: 0, z: 0, yaw: 0, speed: 1.4, posture: 0, emote: 0 };
  return { ...rest, visitor: false, speaking: false, holding: false, level: 0, ...over };
}

/** Walks along x at 1.4 m/s: 0.07 m a tick. */
function at(tick: number): Sample {
  return sample({ x: 0.07 * tick });
}

describe("Track", () => {
  it("walks without a backward step and at an even speed, though samples jitter", () => {
    const track = new Track(7, at(0), 0);
    const places: number[] = [];
    let next = 1;
    for (let ms = 0; ms < 4000; ms += 16) {
      // Tick n arrives between n and n + 0.6 ticks after its time.
      while (next * 50 + (next % 3) * 15 <= ms) {
        track.push(at(next), next);
        next++;
      }
      track.advance(ms / 50, 0.6);
      places.push(track.pose.x);
    }
    const steps = places.slice(60).map((x, i, all) => (i ? x - (all[i - 1] as number) : 0.0224)).slice(1);
    const expected = (1.4 * 16) / 1000;
    expect(Math.min(...steps)).toBeGreaterThan(0.97 * expected);
    expect(Math.max(...steps)).toBeLessThan(1.03 * expected);
  });

  it("turns the short way across north", () => {
    const track = new Track(7, sample({ yaw: 6.2 }), 0);
    track.push(sample({ yaw: 0.1 }), 1);
    for (let i = 0; i < 200; i++) track.advance(1.5, 0);
    expect(Math.abs(track.pose.yaw)).toBeLessThan(0.2);
  });

  it("coasts only a little when nothing comes any more", () => {
    const track = new Track(7, at(0), 0);
    for (let n = 1; n < 20; n++) track.push(at(n), n);
    for (let n = 20; n < 200; n++) track.advance(n, 0);
    expect(track.pose.x).toBeLessThan(at(20).x);
    expect(track.pose.x).toBeGreaterThan(at(18).x);
  });

  it("does not glide through the world when somebody is put elsewhere", () => {
    const track = new Track(7, at(0), 0);
    track.push(at(1), 1);
    track.push(sample({ x: 50 }), 2);
    track.advance(2, 0);
    expect(track.pose.x).toBe(50);
  });

  it("ignores what is older than the newest", () => {
    const track = new Track(7, at(5), 5);
    track.push(at(3), 3);
    expect(track.last.tick).toBe(5);
  });
});

describe("Tracks", () => {
  const frame = (tick: number, ids: number[]) => {
    return { epoch: 1, tick, cellX: 0, cellY: 0, samples: ids.map((id) => sample({ id })) };
  };

  it("forgets after a second of server time, not before", () => {
    const tracks = new Tracks();
    tracks.take(frame(100, [1, 2]));
    tracks.take(frame(120, [1]));
    expect(tracks.forget()).toEqual([]);
    tracks.take(frame(121, [1]));
    expect(tracks.forget()).toEqual([2]);
    expect([...tracks.byId.keys()]).toEqual([1]);
  });

  it("tells a slot's new tenant from the old one by the serial in its id", () => {
    const tracks = new Tracks();
    tracks.take(frame(1, [(1 << 16) | 4]));
    tracks.take(frame(2, [(2 << 16) | 4]));
    expect(tracks.byId.size).toBe(2);
  });
});

describe("bearing", () => {
  it("counts counter-clockwise from where one faces", () => {
    const own = { x: 0, y: 0, z: 0, yaw: Math.PI / 2, speed: 0 };
    expect(bearing(own, { x: -3, y: 0 })).toEqual({ angle: expect.closeTo(Math.PI / 2, 6), distance: 3 });
  });
});
