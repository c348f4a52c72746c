/**
 * Everybody beyond the nearest few: one instanced figure of 300 triangles whose limbs swing in the vertex shader,
 * so that a thousand walkers are one draw call.
 */

import {
  BoxGeometry,
  BufferAttribute,
  BufferGeometry,
  CylinderGeometry,
  DynamicDrawUsage,
  IcosahedronGeometry,
  InstancedBufferAttribute,
  InstancedMesh,
  Matrix4,
  MeshDepthMaterial,
  MeshLambertMaterial,
  Quaternion,
  RGBADepthPacking,
  Vector3,
  type Material,
} from "three";
import { SEAT_M } from "./actors";
import { PARTS, lookOf, statureOf, type Part } from "./looks";

/** One figure to draw: place and heading in the server's frame, how it moves, and what it wears. */
export interface Figure {
  x: number;
  y: number;
  z: number;
  yaw: number;
  speed: number;
  posture: number;
  emote: number;
  /** Metres walked so far: the phase of the gait. */
  walked: number;
  look: number;
}

const LIMBS = /* glsl */ `
attribute float limb;
attribute float part;
attribute vec4 gait; // phase, swing, sitting, waving
attribute vec3 skinColour, hairColour, shirtColour, trousersColour, shoesColour;
vec3 swung(vec3 p) {
  float side = sign(p.z);
  float leg = step(0.5, limb) * (1.0 - step(1.5, limb));
  float arm = step(1.5, limb);
  float angle = sin(gait.x) * gait.y * side * (leg * 0.6 - arm * 0.5);
  angle = mix(angle, leg * 1.5 + arm * 0.5, gait.z);
  angle = mix(angle, 2.7 + 0.25 * sin(gait.x), arm * gait.w * step(0.0, side));
  float hinge = mix(0.86, 1.38, arm);
  vec2 q = p.xy - vec2(0.0, hinge);
  p.xy = mix(p.xy, vec2(0.0, hinge) + vec2(q.x * cos(angle) - q.y * sin(angle), q.x * sin(angle) + q.y * cos(angle)), step(0.5, limb));
  p.y += abs(cos(gait.x)) * gait.y * 0.035 - gait.z * 0.37;
  return p;
}`;

const COLOUR = /* glsl */ `
vColor.rgb *= part < 0.5 ? skinColour : part < 1.5 ? hairColour : part < 2.5 ? shirtColour : part < 3.5 ? trousersColour : shoesColour;`;

export class Crowd {
  readonly mesh: InstancedMesh;
  private readonly gait: InstancedBufferAttribute;
  private readonly paint: Record<Part, InstancedBufferAttribute>;
  /** What each row wears, so that colours are sent to the GPU only when somebody else takes the row. */
  private readonly looks: number[] = [];
  private repainted = false;
  private readonly matrix = new Matrix4();
  private readonly turn = new Quaternion();
  private readonly place = new Vector3();
  private readonly size = new Vector3();
  private readonly up = new Vector3(0, 1, 0);

  /** @param capacity - The most figures drawn at once; further ones are left out. */
  constructor(readonly capacity: number) {
    const geometry = figure();
    this.gait = instanced(capacity, 4);
    geometry.setAttribute("gait", this.gait);
    this.paint = Object.fromEntries(PARTS.map((part) => [part, instanced(capacity, 3)])) as typeof this.paint;
    for (const part of PARTS) geometry.setAttribute(`${part}Colour`, this.paint[part]);
    const material = new MeshLambertMaterial({ vertexColors: true, flatShading: true });
    this.mesh = new InstancedMesh(geometry, patched(material, true), capacity);
    this.mesh.customDepthMaterial = patched(new MeshDepthMaterial({ depthPacking: RGBADepthPacking }), false);
    this.mesh.instanceMatrix.setUsage(DynamicDrawUsage);
    this.mesh.frustumCulled = false;
    this.mesh.count = 0;
    this.mesh.visible = false;
    this.mesh.castShadow = this.mesh.receiveShadow = true;
  }

  /** Draws these figures in the next picture. */
  show(figures: Figure[]): void {
    const n = Math.min(figures.length, this.capacity);
    for (let i = 0; i < n; i++) this.put(i, figures[i] as Figure);
    this.mesh.count = n;
    this.mesh.visible = n > 0;
    upload(this.mesh.instanceMatrix, n);
    upload(this.gait, n);
    if (this.repainted) for (const part of PARTS) upload(this.paint[part], n);
    this.repainted = false;
  }

  private put(i: number, f: Figure): void {
    this.turn.setFromAxisAngle(this.up, f.yaw);
    this.size.setScalar(statureOf(f.look));
    this.mesh.setMatrixAt(i, this.matrix.compose(this.place.set(f.x, f.z - (f.posture > 0 ? SEAT_M : 0), -f.y), this.turn, this.size));
    this.gait.setXYZW(i, f.walked * 4.4, Math.min(1, f.speed / 1.2), f.posture > 0 ? 1 : 0, f.emote > 0 ? 1 : 0);
    if (this.looks[i] === f.look) return;
    this.looks[i] = f.look;
    this.repainted = true;
    const look = lookOf(f.look);
    for (const part of PARTS) this.paint[part].setXYZ(i, look[part].r, look[part].g, look[part].b);
  }
}

function instanced(count: number, width: number): InstancedBufferAttribute {
  const attribute = new InstancedBufferAttribute(new Float32Array(count * width), width);
  attribute.setUsage(DynamicDrawUsage);
  return attribute;
}

/** Sends the first rows of an attribute to the GPU, not all of its capacity. */
function upload(attribute: InstancedBufferAttribute, rows: number): void {
  attribute.clearUpdateRanges();
  attribute.addUpdateRange(0, rows * attribute.itemSize);
  attribute.needsUpdate = true;
}

/** Lets a material of three.js swing the limbs and, if asked, paint the parts. */
function patched<M extends Material>(material: M, paints: boolean): M {
  material.onBeforeCompile = (shader) => {
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", `#include <common>\n${LIMBS}`)
      .replace("#include <begin_vertex>", "vec3 transformed = swung(position);");
    if (paints) shader.vertexShader = shader.vertexShader.replace("#include <color_vertex>", `#include <color_vertex>\n${COLOUR}`);
  };
  material.customProgramCacheKey = () => `crowd${paints}`;
  return material;
}

/** The figure: 1.72 m, facing +x, soles at y = 0; `limb` 1 is a leg, 2 an arm; `part` indexes PARTS. */
function figure(): BufferGeometry {
  const pieces = [
    piece(new CylinderGeometry(0.2, 0.155, 0.54, 8), [0, 1.13, 0], 2, 0, [0.62, 1, 1]),
    piece(new CylinderGeometry(0.09, 0.2, 0.07, 8), [0, 1.435, 0], 2, 0, [0.62, 1, 1]),
    piece(new CylinderGeometry(0.155, 0.15, 0.14, 8), [0, 0.83, 0], 3, 0, [0.72, 1, 1]),
    piece(new IcosahedronGeometry(0.112, 1), [0.015, 1.57, 0], 0, 0, [1, 1.2, 0.9]),
    piece(new IcosahedronGeometry(0.12, 1), [-0.022, 1.61, 0], 1, 0, [0.98, 1.02, 0.98]),
    piece(new BoxGeometry(0.1, 0.1, 0.1), [0, 1.43, 0], 0, 0),
  ];
  for (const side of [-1, 1]) {
    pieces.push(piece(new BoxGeometry(0.14, 0.78, 0.13), [0, 0.47, side * 0.09], 3, 1));
    pieces.push(piece(new BoxGeometry(0.25, 0.09, 0.12), [0.04, 0.045, side * 0.09], 4, 1));
    pieces.push(piece(new BoxGeometry(0.1, 0.46, 0.085), [0, 1.18, side * 0.215], 2, 2));
    pieces.push(piece(new BoxGeometry(0.075, 0.16, 0.075), [0, 0.9, side * 0.215], 0, 2));
  }
  return joined(pieces);
}

interface Piece {
  places: Float32Array;
  part: number;
  limb: number;
}

function piece(geometry: BufferGeometry, at: number[], part: number, limb: number, scale = [1, 1, 1]): Piece {
  const flat = geometry.index ? geometry.toNonIndexed() : geometry;
  flat.scale(scale[0] as number, scale[1] as number, scale[2] as number);
  flat.translate(at[0] as number, at[1] as number, at[2] as number);
  return { places: (flat.getAttribute("position") as BufferAttribute).array as Float32Array, part, limb };
}

function joined(pieces: Piece[]): BufferGeometry {
  const corners = pieces.reduce((sum, each) => sum + each.places.length / 3, 0);
  const places = new Float32Array(corners * 3);
  const part = new Float32Array(corners);
  const limb = new Float32Array(corners);
  let at = 0;
  for (const each of pieces) {
    const n = each.places.length / 3;
    places.set(each.places, at * 3);
    part.fill(each.part, at, at + n);
    limb.fill(each.limb, at, at + n);
    at += n;
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(places, 3));
  geometry.setAttribute("color", new BufferAttribute(new Float32Array(corners * 3).fill(1), 3));
  geometry.setAttribute("part", new BufferAttribute(part, 1));
  geometry.setAttribute("limb", new BufferAttribute(limb, 1));
  return geometry;
}
