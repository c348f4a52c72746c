import { expect, it } from "vitest";
import { Pacer, type Fences } from "./pacer";

it("waits for the last picture and rests half as long as it took", () => {
  let status = 0;
  const gl: Fences = {
    SYNC_GPU_COMMANDS_COMPLETE: 37143,
    SYNC_STATUS: 37140,
    SIGNALED: 37145,
    fenceSync: () => ({}) as WebGLSync,
    getSyncParameter: () => status,
    deleteSync: () => undefined,
    flush: () => undefined,
  };
  const pacer = new Pacer(gl);
  expect(pacer.ready(0)).toBe(true);
  pacer.drawn(0);
  expect(pacer.ready(500)).toBe(false);
  status = gl.SIGNALED;
  expect(pacer.ready(600)).toBe(false);
  expect(pacer.ready(899)).toBe(false);
  expect(pacer.ready(900)).toBe(true);
});
