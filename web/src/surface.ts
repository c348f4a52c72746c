/** The material of still scenery: matt and flat shaded, with grass, paving, boards, roof tiles, plaster and leaves drawn by the GPU. */

import { MeshLambertMaterial } from "three";
import { noiseTexture } from "./noise";

/** Which pattern a style or kind of surface shows; everything else is plain. */
const PATTERNS: Record<string, number> = {
  ...{ ground: 1, lawn: 1, meadow: 1, yard: 2, asphalt: 2, street: 2, path: 2 },
  ...{ square: 3, pavement: 3, plaza: 3, plaza_dark: 3, tiles: 5, floor: 4, parquet: 4 },
  ...{ building: 6, broadleaf_tree: 7, conifer_tree: 7, bush: 7, hedge: 7 },
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
// Rows of tiles up a slope, each casting a thin shade on the one below.
vec3 roofed(vec3 n, vec3 colour) {
  vec2 across = normalize(vec2(-n.z, n.x) + 1e-5);
  float steep = sqrt(max(1e-3, 1.0 - n.y * n.y));
  vec2 at = vec2(dot(vPlace.xz, across), vPlace.y / steep);
  vec2 w = fwidth(at);
  float blur = max(w.x, w.y);
  float seen = clamp(1.0 - blur / 0.2, 0.0, 1.0);
  vec2 q = at / vec2(0.26, 0.34);
  q.x += 0.5 * mod(floor(q.y), 2.0);
  float lip = fract(q.y);
  float tile = 0.16 * (cellHash(floor(q)) - 0.5) - 0.2 * (1.0 - smoothstep(0.0, 0.28, lip)) + 0.06 * sin(6.28 * q.x);
  float weather = texture2D(grain, at * vec2(0.045, 0.018)).r - 0.5;
  return colour * (1.0 + seen * tile + 0.34 * weather);
}
// Ceilings and flat roofs have no direction that tiles could follow.
vec3 levelled(vec3 colour) {
  return colour * (1.0 + 0.16 * (texture2D(grain, vPlace.xz * 0.13).r - 0.5));
}
// Plaster with faint stains and a darker foot; panes mirror the sky.
vec3 faced(vec3 n, vec3 colour) {
  vec2 at = vec2(dot(vPlace.xz, vec2(-n.z, n.x)), vPlace.y);
  if (colour.b > 1.5 * colour.r && colour.g > 0.2) {
    vec3 ray = reflect(normalize(vPlace - cameraPosition), n);
    float grazing = pow(1.0 - abs(dot(ray, n)), 3.0);
    vec3 sky = mix(vec3(0.86, 0.84, 0.78), vec3(0.42, 0.66, 0.86), smoothstep(0.0, 0.6, ray.y));
    float cloudy = texture2D(grain, ray.xz * 0.35 + at * 0.012).r;
    return mix(colour * 0.8, sky * (0.75 + 0.5 * cloudy), (ray.y > 0.0 ? 0.22 : 0.06) + 0.6 * grazing);
  }
  float stain = texture2D(grain, at * vec2(0.13, 0.03)).r - 0.5;
  float fine = texture2D(grain, at * 0.6).r - 0.5;
  float foot = mix(0.84, 1.0, smoothstep(0.0, 2.2, vPlace.y));
  return colour * foot * (1.0 + 0.16 * stain + 0.07 * fine);
}
// Clumps of leaves: lighter and yellower above, darker in the hollows.
vec3 leafy(vec3 n, vec3 colour) {
  float clump = texture2D(grain, vPlace.xz * 0.31 + vPlace.y * 0.17).r - 0.5;
  float leaf = texture2D(grain, vPlace.xy * 0.83 + vPlace.z * 0.61).r - 0.5;
  float up = 0.5 + 0.5 * n.y;
  float green = step(colour.r * 0.8, colour.g);
  return colour * mix(vec3(1.0), mix(vec3(0.86, 0.92, 0.95), vec3(1.3, 1.2, 1.0), up), green) * (1.0 + 0.5 * clump + 0.42 * leaf);
}
vec3 patterned(vec3 colour) {
  if (vPattern < 0.5) return colour;
  vec2 at = vPlace.xz;
  vec2 w = fwidth(at);
  float blur = max(w.x, w.y);
  if (vPattern > 5.5) {
    vec3 n = normalize(cross(dFdx(vPlace), dFdy(vPlace)));
    if (vPattern > 6.5) return leafy(n, colour);
    if (abs(n.y) > 0.98) return levelled(colour);
    return abs(n.y) > 0.25 ? roofed(n, colour) : faced(n, colour);
  }
  float broad = texture2D(grain, at * 0.017).r - 0.5;
  float fine = texture2D(grain, at * 0.23).r - 0.5;
  if (vPattern < 1.5) {
    float blades = texture2D(grain, at * 1.7).r - 0.5;
    vec3 dry = mix(vec3(1.0), vec3(1.16, 1.04, 0.86), smoothstep(-0.12, 0.2, broad + 0.4 * fine));
    return colour * dry * (1.0 + 0.42 * broad + 0.3 * fine + 0.34 * blades * clamp(1.0 - blur * 6.0, 0.0, 1.0));
  }
  if (vPattern < 2.5) {
    float grit = texture2D(grain, at * 2.3).r - 0.5;
    return colour * (1.0 + 0.2 * broad + 0.14 * fine + 0.2 * grit * clamp(1.0 - blur * 8.0, 0.0, 1.0));
  }
  if (vPattern < 3.5) return colour * slabs(at, vec2(0.84, 0.56), 0.007, blur) * (1.0 + 0.2 * broad + 0.14 * fine);
  if (vPattern > 4.5) return colour * slabs(at, vec2(0.3), 0.004, blur);
  return colour * slabs(at, vec2(1.9, 0.17), 0.003, blur) * (1.0 + 0.08 * broad);
}`;

/** Geometries that it paints need an attribute `pattern` with one number a vertex. */
export const surface = new MeshLambertMaterial({ vertexColors: true, flatShading: true });
let patterns = true;

surface.onBeforeCompile = (shader) => {
  if (!patterns) return;
  shader.uniforms["grain"] = { value: noiseTexture() };
  shader.vertexShader = shader.vertexShader
    .replace("#include <common>", "#include <common>\nattribute float pattern;\nvarying float vPattern;\nvarying vec3 vPlace;")
    .replace("#include <begin_vertex>", "#include <begin_vertex>\nvPattern = pattern;\nvPlace = (modelMatrix * vec4(position, 1.0)).xyz;");
  shader.fragmentShader = shader.fragmentShader
    .replace("#include <common>", `#include <common>\n${PATTERN}`)
    .replace("#include <color_fragment>", "#include <color_fragment>\ndiffuseColor.rgb = patterned(diffuseColor.rgb);");
};
surface.customProgramCacheKey = () => `surface ${patterns}`;

/** Chooses between patterned and plain surfaces; a machine that draws in software has no time for patterns. */
export function showPatterns(wanted: boolean): void {
  if (wanted === patterns) return;
  patterns = wanted;
  surface.needsUpdate = true;
}
