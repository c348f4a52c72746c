import { decode } from "@msgpack/msgpack";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FrameError, decodeFrames } from "./codec";
import { HOLDING, RARE, SPEAKING, VISITOR } from "./wire.generated";

/** The same files are read by the server's own decoder. */
function golden(name: string): Buffer {
  return readFileSync(new URL(`../../tests/golden/${name}`, import.meta.url));
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer;
}

interface GoldenCell {
  epoch: number;
  tick: number;
  cell: [number, number];
  entity_flags: number[];
  [column: string]: unknown;
}

describe("decodeFrames", () => {
  const hot = bytesOf(golden("cells.bin"));
  const expected = JSON.parse(golden("cells.json").toString()) as GoldenCell[];

  it("reads what the server's decoder reads", () => {
    const frames = decodeFrames(hot);
    expect(frames).toHaveLength(expected.length);
    frames.forEach((frame, i) => {
      const want = expected[i] as GoldenCell;
      expect([frame.epoch, frame.tick, frame.cellX, frame.cellY]).toEqual([want.epoch, want.tick, ...want.cell]);
      for (const column of ["id", "x", "y", "z", "yaw", "speed", "posture", "emote", "level"] as const) {
        const got = frame.samples.map((sample) => sample[column]);
        const columns = want[column] as number[];
        columns.forEach((value, row) => expect(got[row]).toBeCloseTo(value, 9));
      }
      const flags = frame.samples.map((s) => Number(s.visitor) * VISITOR + Number(s.speaking) * SPEAKING + Number(s.holding) * HOLDING);
      expect(flags).toEqual(want.entity_flags);
    });
  });

  it("refuses what is cut short, with a reason", () => {
    for (let length = 1; length < hot.byteLength; length += 7) {
      const cut = hot.slice(0, length);
      if ([0, 56, 128].includes(length)) continue;
      expect(() => decodeFrames(cut)).toThrow(FrameError);
    }
  });

  it("refuses another version", () => {
    const other = hot.slice(0);
    new Uint8Array(other)[1] = 9;
    expect(() => decodeFrames(other)).toThrow("version 9");
  });

  it("reads nothing from nothing", () => {
    expect(decodeFrames(new ArrayBuffer(0))).toEqual([]);
  });
});

describe("messages", () => {
  it("are read as the server means them", () => {
    const packed = golden("messages.bin");
    const expected = JSON.parse(golden("messages.json").toString(), (_key, value: unknown) => {
      const bytes = (value as { $bytes?: number[] } | null)?.$bytes;
      return bytes ? Uint8Array.from(bytes) : value;
    }) as unknown[];
    const read: unknown[] = [];
    for (let at = 0; at < packed.length; ) {
      const length = packed.readUInt32LE(at);
      expect(packed[at + 4]).toBe(RARE);
      read.push(decode(new Uint8Array(packed.subarray(at + 5, at + 4 + length))));
      at += 4 + length;
    }
    expect(read).toHaveLength(expected.length);
    read.forEach((message, i) => expect(plain(message)).toEqual(plain(expected[i])));
  });
});

/** Byte arrays as number lists, whatever class holds them. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, each: unknown) => (each instanceof Uint8Array ? [...each] : each)));
}
