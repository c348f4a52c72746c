/** Seamless value noise of five octaves as a texture, computed once instead of in every pixel of every picture. */

import { DataTexture, LinearFilter, LinearMipmapLinearFilter, RedFormat, RepeatWrapping } from "three";
import { fraction } from "./looks";

const SIZE_PX = 256;
let shared: DataTexture | null = null;

/** Returns the one noise texture of the page; values around 0.5. */
export function noiseTexture(): DataTexture {
  shared ??= made();
  return shared;
}

function made(): DataTexture {
  const data = new Uint8Array(SIZE_PX * SIZE_PX);
  for (let y = 0; y < SIZE_PX; y++) {
    for (let x = 0; x < SIZE_PX; x++) {
      let value = 0;
      for (let octave = 0; octave < 5; octave++) {
        const cells = 6 << octave;
        value += lattice((x / SIZE_PX) * cells, (y / SIZE_PX) * cells, cells) / 2 ** (octave + 1);
      }
      data[y * SIZE_PX + x] = Math.min(255, value * 264);
    }
  }
  const texture = new DataTexture(data, SIZE_PX, SIZE_PX, RedFormat);
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.magFilter = LinearFilter;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.generateMipmaps = true;
  texture.needsUpdate = true;
  return texture;
}

function lattice(x: number, y: number, cells: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const at = (i: number, j: number) => fraction((i % cells) * 7919 + (j % cells), cells);
  const u = (x - x0) ** 2 * (3 - 2 * (x - x0));
  const v = (y - y0) ** 2 * (3 - 2 * (y - y0));
  const top = at(x0, y0) * (1 - u) + at(x0 + 1, y0) * u;
  const low = at(x0, y0 + 1) * (1 - u) + at(x0 + 1, y0 + 1) * u;
  return top * (1 - v) + low * v;
}
