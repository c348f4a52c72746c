/** The material of still scenery: matt and flat shaded, with grass, paving and boards drawn by the GPU. */

import { MeshLambertMaterial } from "three";
import { noiseTexture } from "./noise";

/** Which pattern a style or kind of surface shows; everything else is plain. */
const PATTERNS: Record<string, number> = {
  ...{ ground: 1, lawn: 1, meadow: 1, yard: 2, asphalt: 2, street: 2, path: 2 },
  ...{ square: 3, pavement: 3, plaza: 3, plaza_dark: 3, tiles: 5, floor: 4, parquet: 4 },
};

/** Returns the pattern number of a style, 0 for none. */
export function patternOf(style: string): number {
  return PATTERNS[style] ?? 0;
}

const PATTERN = /* glsl */ `
uniform sampler2D grain;
varying float vPattern;
varying vec3 vPlace;
float cellHash(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }
float slabs(vec2 at, vec2 size, float joint, float blur) {
  vec2 q = at / size;
  q.x += 0.5 * mod(floor(q.y), 2.0);
  vec2 f = fract(q);
  vec2 edge = min(f, 1.0 - f) * size;
  float line = 1.0 - smoothstep(joint, joint + 0.008 + blur, min(edge.x, edge.y));
  float seen = clamp(1.0 - blur / (size.y * 0.5), 0.0, 1.0);
  return 1.0 + seen * (0.09 * (cellHash(floor(q)) - 0.5) - 0.17 * line);
}
float patterned() {
  if (vPattern < 0.5) return 1.0;
  vec2 at = vPlace.xz;
  vec2 w = fwidth(at);
  float blur = max(w.x, w.y);
  float broad = texture2D(grain, at * 0.017).r - 0.5;
  float fine = texture2D(grain, at * 0.23).r - 0.5;
  if (vPattern < 1.5) return 1.0 + 0.42 * broad + 0.3 * fine;
  if (vPattern < 2.5) return 1.0 + 0.14 * broad + 0.12 * fine;
  if (vPattern < 3.5) return slabs(at, vec2(0.84, 0.56), 0.007, blur) * (1.0 + 0.14 * broad + 0.1 * fine);
  if (vPattern > 4.5) return slabs(at, vec2(0.3), 0.004, blur);
  return slabs(at, vec2(1.9, 0.17), 0.003, blur) * (1.0 + 0.08 * broad);
}`;

/** Makes the material; geometries need an attribute \`pattern\` with one number a vertex. */
export function surfaceMaterial(): MeshLambertMaterial {
  const material = new MeshLambertMaterial({ vertexColors: true, flatShading: true });
  material.onBeforeCompile = (shader) => {
    shader.uniforms["grain"] = { value: noiseTexture() };
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", "#include <common>\nattribute float pattern;\nvarying float vPattern;\nvarying vec3 vPlace;")
      .replace("#include <begin_vertex>", "#include <begin_vertex>\nvPattern = pattern;\nvPlace = (modelMatrix * vec4(position, 1.0)).xyz;");
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", `#include <common>\n${PATTERN}`)
      .replace("#include <color_fragment>", "#include <color_fragment>\ndiffuseColor.rgb *= patterned();");
  };
  material.customProgramCacheKey = () => "surface";
  return material;
}
