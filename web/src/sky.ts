/** The sky: a dome with a gradient, a sun and drifting clouds; and far hills where the world ends. */

import {
  BackSide,
  BufferAttribute,
  BufferGeometry,
  Color,
  Group,
  Mesh,
  MeshBasicMaterial,
  RingGeometry,
  ShaderMaterial,
  SphereGeometry,
  Vector3,
} from "three";
import { fraction } from "./looks";
import { noiseTexture } from "./noise";
import { patternOf, surface } from "./surface";

/** Direction towards the sun, three.js frame; late morning. */
export const SUN = new Vector3(0.42, 0.62, 0.58).normalize();
export const HORIZON = new Color("#efe6d8");
const ZENITH = new Color("#5b9bc9");
const MIDDLE = new Color("#b4d6e4");
/** Crests from near to far: green turning to the blue of far air. */
const RIDGES = ["#a3b893", "#a9bfb4", "#b7cad0"];
const GRASS = "#8fb565";
const FAR_GRASS = "#9fae84";
/** Metres beyond the world's radius and how far-away the grass looks there; the first is the middle. */
const NEARNESS: [number, number][] = [[0, 0], [-5, 0], [60, 0.6], [140, 1], [1500, 1]];

const VERTEX = /* glsl */ `
varying vec3 ray;
void main() {
  ray = position;
  vec4 p = projectionMatrix * mat4(mat3(modelViewMatrix)) * vec4(position, 1.0);
  gl_Position = p.xyww;
}`;

const FRAGMENT = /* glsl */ `
varying vec3 ray;
uniform vec3 zenith, middle, horizon, sun;
uniform sampler2D noise;
uniform float time;
float cloud(vec2 at) {
  return texture2D(noise, at).r * 0.72 + texture2D(noise, at * 3.1 + 0.37).r * 0.28;
}
void main() {
  vec3 d = normalize(ray);
  float h = max(d.y, 0.0);
  vec3 colour = mix(horizon, middle, smoothstep(0.0, 0.22, h));
  colour = mix(colour, zenith, smoothstep(0.12, 0.85, h));
  float towards = max(dot(d, sun), 0.0);
  colour += vec3(1.0, 0.86, 0.62) * (0.22 * pow(towards, 6.0) + 0.35 * pow(towards, 48.0));
  vec2 at = d.xz / (h + 0.12) * 0.055 + vec2(time * 0.0009, time * 0.0004);
  float thick = cloud(at);
  float cover = smoothstep(0.53, 0.72, thick) * smoothstep(0.02, 0.2, h);
  float lit = clamp(0.5 + 3.0 * (thick - cloud(at + normalize(sun.xz) * 0.012)), 0.0, 1.0);
  vec3 white = mix(vec3(0.80, 0.83, 0.90), vec3(1.0, 0.975, 0.93), lit);
  colour = mix(colour, white, cover * 0.86);
  colour = mix(colour, vec3(1.0, 0.98, 0.9), smoothstep(0.99945, 0.9997, towards) * (1.0 - cover * 0.8));
  gl_FragColor = vec4(min(colour, 1.0), 1.0);
  #include <colorspace_fragment>
}`;

export class Sky {
  readonly root = new Group();
  private readonly material: ShaderMaterial;

  constructor() {
    this.material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      side: BackSide,
      depthWrite: false,
      toneMapped: false,
      uniforms: {
        zenith: { value: ZENITH },
        middle: { value: MIDDLE },
        horizon: { value: HORIZON },
        sun: { value: SUN },
        noise: { value: noiseTexture() },
        time: { value: 0 },
      },
    });
    const dome = new Mesh(new SphereGeometry(1, 32, 16), this.material);
    dome.frustumCulled = false;
    dome.renderOrder = 10;
    this.root.add(dome);
  }

  /** Lets the clouds drift. */
  update(seconds: number): void {
    (this.material.uniforms["time"] as { value: number }).value = seconds;
  }

  /** Puts meadows and hills around a world whose middle and radius are given in three.js's frame. */
  surround(middle: Vector3, radius: number, lowest: number): void {
    this.root.remove(...this.root.children.slice(1));
    this.root.add(meadow(middle, radius, lowest));
    for (let ring = 0; ring < 3; ring++) this.root.add(hills(middle, radius, lowest, ring));
  }
}

/** Grass like that of lawns near the world, paler farther out, where the hills begin. */
function meadow(middle: Vector3, radius: number, lowest: number): Mesh {
  const geometry = new RingGeometry(0.1, 1, 48, NEARNESS.length - 1).rotateX(-Math.PI / 2);
  const place = geometry.getAttribute("position") as BufferAttribute;
  const paint = new Float32Array(place.count * 3);
  const [near, far] = [new Color(GRASS), new Color(FAR_GRASS)];
  for (let i = 0; i < place.count; i++) {
    const [away, share] = NEARNESS[Math.floor(i / 49)] as [number, number];
    const turn = ((i % 49) / 48) * Math.PI * 2;
    const reach = away === 0 ? 0 : radius + away;
    place.setXYZ(i, middle.x + Math.cos(turn) * reach, lowest - 0.1, middle.z - Math.sin(turn) * reach);
    paint.set(near.clone().lerp(far, share).toArray(), 3 * i);
  }
  geometry.setAttribute("color", new BufferAttribute(paint, 3));
  geometry.setAttribute("pattern", new BufferAttribute(new Uint8Array(place.count).fill(patternOf("lawn")), 1));
  const mesh = new Mesh(geometry, surface);
  mesh.receiveShadow = true;
  mesh.frustumCulled = false;
  return mesh;
}

/** One ring of hills, paler with distance; drawn without fog because its colours are already those of far air. */
function hills(middle: Vector3, radius: number, lowest: number, ring: number): Mesh {
  const corners = 96;
  const away = radius + 130 + ring * 170;
  const places = new Float32Array((corners + 1) * 6);
  const paint = new Float32Array((corners + 1) * 6);
  const foot = HORIZON.clone().lerp(new Color(RIDGES[ring]), ring === 0 ? 0.92 : 0.5);
  const crest = new Color(RIDGES[ring]);
  const indices: number[] = [];
  for (let i = 0; i <= corners; i++) {
    const turn = (i / corners) * Math.PI * 2;
    const height = (14 + ring * 26) * (0.35 + ridge(turn, ring));
    const x = middle.x + Math.cos(turn) * away;
    const z = middle.z + Math.sin(turn) * away;
    places.set([x, lowest - 4, z, x, lowest + height, z], i * 6);
    paint.set([...foot.toArray(), ...crest.toArray()], i * 6);
    const at = 2 * i;
    if (i < corners) indices.push(at, at + 2, at + 1, at + 1, at + 2, at + 3);
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(places, 3));
  geometry.setAttribute("color", new BufferAttribute(paint, 3));
  geometry.setIndex(indices);
  const material = new MeshBasicMaterial({ vertexColors: true, fog: false, toneMapped: false, side: 2 });
  return new Mesh(geometry, material);
}

/** A periodic ridge line, 0..1. */
function ridge(turn: number, ring: number): number {
  let sum = 0;
  for (let k = 1; k <= 4; k++) {
    const waves = 2 * k + ring;
    sum += Math.sin(turn * waves + 6.28 * fraction(ring, k)) / k;
  }
  return 0.5 + 0.24 * sum;
}
