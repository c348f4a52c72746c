/** A humanoid file made ready to be copied: one mesh, the parts of the body told apart by vertex, clips cut in two. */

import { AnimationClip, BufferAttribute, BufferGeometry, SkinnedMesh, type Object3D } from "three";
import { mergeGeometries } from "three/addons/utils/BufferGeometryUtils.js";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import { PARTS, type Look } from "./looks";

/** Joints above the hips play clips of their own, so that one can wave while walking. */
const UPPER = /^(spine|chest|neck|head|clavicle|upper_arm|forearm|hand)/;
const EYES = PARTS.length;
const KEPT = ["position", "normal", "skinIndex", "skinWeight"];

/** A clip for the legs and hips and one for the rest. */
export interface Halves {
  lower: AnimationClip;
  upper: AnimationClip;
}

export class Body {
  readonly root: Object3D;
  readonly clips: Map<string, Halves>;
  /** Index into PARTS of each vertex, one more for the eyes. */
  private readonly parts: Uint8Array;
  /** How light each vertex is, 0..1. */
  private readonly shades: Float32Array;

  constructor(file: GLTF) {
    this.clips = new Map(file.animations.map((clip) => [clip.name, halves(clip)]));
    const skins: SkinnedMesh[] = [];
    file.scene.traverse((each) => {
      if (each instanceof SkinnedMesh) skins.push(each);
    });
    const first = skins[0];
    if (!first) throw new Error("the humanoid file has no skinned mesh");
    this.parts = partsOf(skins);
    this.shades = shadesOf(skins);
    first.geometry = joined(skins);
    for (const each of skins.slice(1)) each.removeFromParent();
    this.root = file.scene;
  }

  get vertices(): number {
    return this.parts.length;
  }

  /** Writes the colours of a look into a colour attribute of this body. */
  paint(look: Look, into: BufferAttribute): void {
    for (let i = 0; i < this.parts.length; i++) {
      const shade = this.shades[i] as number;
      const part = PARTS[this.parts[i] as number];
      const colour = part ? look[part] : null;
      into.setXYZ(i, (colour?.r ?? 0.9) * shade, (colour?.g ?? 0.9) * shade, (colour?.b ?? 0.88) * shade);
    }
    into.needsUpdate = true;
  }
}

function halves(clip: AnimationClip): Halves {
  const upper = clip.tracks.filter((track) => UPPER.test(track.name));
  const lower = clip.tracks.filter((track) => !UPPER.test(track.name));
  return {
    lower: new AnimationClip(`${clip.name} lower`, clip.duration, lower),
    upper: new AnimationClip(`${clip.name} upper`, clip.duration, upper),
  };
}

function partsOf(skins: SkinnedMesh[]): Uint8Array {
  const parts: number[] = [];
  for (const skin of skins) {
    const name = (Array.isArray(skin.material) ? skin.material[0] : skin.material)?.name ?? "";
    const part = PARTS.findIndex((each) => name === each);
    for (let i = 0; i < skin.geometry.getAttribute("position").count; i++) parts.push(part < 0 ? EYES : part);
  }
  return Uint8Array.from(parts);
}

function shadesOf(skins: SkinnedMesh[]): Float32Array {
  const shades: number[] = [];
  for (const { geometry } of skins) {
    const colour = geometry.getAttribute("color");
    for (let i = 0; i < geometry.getAttribute("position").count; i++) shades.push(colour?.getX(i) ?? 1);
  }
  return Float32Array.from(shades);
}

function joined(skins: SkinnedMesh[]): BufferGeometry {
  const bare = skins.map((skin) => {
    const copy = new BufferGeometry();
    for (const name of KEPT) copy.setAttribute(name, skin.geometry.getAttribute(name));
    copy.setIndex(skin.geometry.index);
    return copy;
  });
  const merged = mergeGeometries(bare);
  merged.computeBoundingSphere();
  return merged;
}
