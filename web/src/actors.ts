/** The nearest avatars: skinned, animated, one draw call each. */

import {
  AnimationMixer,
  BufferAttribute,
  BufferGeometry,
  Group,
  LoopOnce,
  LoopRepeat,
  Mesh,
  MeshLambertMaterial,
  Object3D,
  SkinnedMesh,
  type AnimationAction,
  type AnimationClip,
} from "three";
import { mergeGeometries } from "three/addons/utils/BufferGeometryUtils.js";
import { clone as cloneSkinned } from "three/addons/utils/SkeletonUtils.js";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import type { Figure } from "./crowd";
import { PARTS, lookOf, statureOf, type Part } from "./looks";

const FADE_S = 0.22;
const RUN_FROM_MPS = 2.1;
const WALK_CLIP_MPS = 1.4;
const RUN_CLIP_MPS = 3;
const LIE = 2;

/** The humanoid file, made ready to be copied: one mesh, the parts of the body told apart by vertex. */
export class Body {
  readonly root: Object3D;
  readonly clips: AnimationClip[];
  /** Index into PARTS of each vertex. */
  readonly parts: Uint8Array;

  constructor(file: GLTF) {
    this.clips = file.animations;
    const skins: SkinnedMesh[] = [];
    file.scene.traverse((each) => {
      if (each instanceof SkinnedMesh) skins.push(each);
    });
    const first = skins[0];
    if (!first) throw new Error("humanoid.glb has no skinned mesh; one with the materials skin, hair, shirt, trousers, shoes is needed");
    this.parts = partsOf(skins);
    first.geometry = mergedGeometry(skins);
    for (const each of skins.slice(1)) each.removeFromParent();
    this.root = file.scene;
  }
}

/** One body on the stage. */
export class Actor {
  readonly root: Object3D;
  private readonly mixer: AnimationMixer;
  private readonly actions = new Map<string, AnimationAction>();
  private readonly paint: BufferAttribute;
  private base = "";
  private overlay = "";
  private look = NaN;

  constructor(body: Body, material: MeshLambertMaterial) {
    this.root = cloneSkinned(body.root);
    this.root.name = "actor";
    this.paint = new BufferAttribute(new Float32Array(body.parts.length * 3), 3);
    this.root.traverse((each) => {
      if (!(each instanceof Mesh)) return;
      each.geometry = sharing(each.geometry as BufferGeometry, this.paint);
      each.material = material;
      each.castShadow = each.receiveShadow = true;
    });
    this.mixer = new AnimationMixer(this.root);
    for (const clip of body.clips) this.actions.set(clip.name, this.mixer.clipAction(clip));
    this.parts = body.parts;
    this.hide();
  }

  private readonly parts: Uint8Array;

  /** Shows a figure after `dtS` more seconds. */
  play(figure: Figure & { speaking: boolean }, dtS: number): void {
    this.root.visible = true;
    this.dress(figure.look);
    this.root.position.set(figure.x, figure.z, -figure.y);
    this.root.rotation.set(0, figure.yaw, 0);
    if (figure.posture === LIE) this.root.rotation.z = Math.PI / 2;
    this.root.scale.setScalar(statureOf(figure.look));
    this.fadeTo(clipFor(figure));
    this.pace(figure.speed);
    this.gesture(figure);
    this.mixer.update(dtS);
  }

  hide(): void {
    this.root.visible = false;
  }

  private dress(seed: number): void {
    if (seed === this.look) return;
    this.look = seed;
    const look = lookOf(seed);
    for (let i = 0; i < this.parts.length; i++) {
      const colour = look[PARTS[this.parts[i] as number] as Part];
      this.paint.setXYZ(i, colour.r, colour.g, colour.b);
    }
    this.paint.needsUpdate = true;
  }

  private fadeTo(name: string): void {
    if (name === this.base || !this.actions.has(name)) return;
    this.actions.get(this.base)?.fadeOut(FADE_S);
    this.actions.get(name)?.reset().fadeIn(FADE_S).play();
    this.base = name;
  }

  private pace(speed: number): void {
    const action = this.actions.get(this.base);
    if (!action) return;
    if (this.base === "walk") action.timeScale = Math.max(0.4, speed / WALK_CLIP_MPS);
    else if (this.base === "run") action.timeScale = Math.max(0.6, speed / RUN_CLIP_MPS);
    else action.timeScale = 1;
  }

  /** Plays a gesture over the base clip, or talking hands while speaking. */
  private gesture(figure: Figure & { speaking: boolean }): void {
    const emotes = ["", "wave", "nod", "cheer", "point", "dance"];
    const named = emotes[figure.emote] ?? "";
    const wanted = this.actions.has(named) ? named : figure.emote > 0 ? "wave" : figure.speaking ? "talk" : "";
    if (wanted === this.overlay) return;
    this.actions.get(this.overlay)?.fadeOut(FADE_S);
    const action = this.actions.get(wanted);
    if (action) {
      action.reset().setLoop(wanted === "nod" ? LoopOnce : LoopRepeat, Infinity).fadeIn(FADE_S).play();
      this.actions.get(this.base)?.setEffectiveWeight(0.001 + (figure.speed > 0.2 ? 0.5 : 0));
    } else this.actions.get(this.base)?.setEffectiveWeight(1);
    this.overlay = wanted;
  }
}

/** A fixed set of bodies handed to whoever is nearest. */
export class Actors {
  readonly group = new Group();
  private body: Body | null = null;
  private readonly pool: Actor[] = [];
  private readonly byId = new Map<number, Actor>();
  private readonly material = new MeshLambertMaterial({ vertexColors: true, flatShading: true });

  /** Takes the humanoid file; until then nobody is skinned. */
  load(file: GLTF): void {
    this.body = new Body(file);
  }

  get ready(): boolean {
    return this.body !== null;
  }

  has(id: number): boolean {
    return this.byId.has(id);
  }

  /** Gives bodies to exactly these avatars, keeping those who have one already. */
  cast(ids: number[]): void {
    const wanted = new Set(ids);
    for (const [id, actor] of this.byId) {
      if (wanted.has(id)) continue;
      actor.hide();
      this.pool.push(actor);
      this.byId.delete(id);
    }
    for (const id of ids) if (!this.byId.has(id)) this.byId.set(id, this.pool.pop() ?? this.make());
  }

  play(id: number, figure: Figure & { speaking: boolean }, dtS: number): void {
    this.byId.get(id)?.play(figure, dtS);
  }

  /** Hides one body for this picture, e.g. the own one in first person. */
  hide(id: number): void {
    this.byId.get(id)?.hide();
  }

  private make(): Actor {
    if (!this.body) throw new Error("the humanoid has not been loaded");
    const actor = new Actor(this.body, this.material);
    this.group.add(actor.root);
    return actor;
  }
}

function clipFor(figure: Figure): string {
  if (figure.posture > 0) return figure.posture === LIE ? "idle" : "sit";
  if (figure.speed > RUN_FROM_MPS) return "run";
  return figure.speed > 0.15 ? "walk" : "idle";
}

function partsOf(skins: SkinnedMesh[]): Uint8Array {
  const parts: number[] = [];
  for (const skin of skins) {
    const name = (Array.isArray(skin.material) ? skin.material[0] : skin.material)?.name ?? "";
    const part = PARTS.findIndex((each) => name.includes(each));
    for (let i = 0; i < skin.geometry.getAttribute("position").count; i++) parts.push(Math.max(0, part));
  }
  return Uint8Array.from(parts);
}

function mergedGeometry(skins: SkinnedMesh[]): BufferGeometry {
  const kept = ["position", "skinIndex", "skinWeight"];
  const bare = skins.map((skin) => {
    const copy = new BufferGeometry();
    for (const name of kept) copy.setAttribute(name, skin.geometry.getAttribute(name));
    copy.setIndex(skin.geometry.index);
    return copy;
  });
  const merged = mergeGeometries(bare);
  merged.computeBoundingSphere();
  return merged;
}

/** The same geometry with colours of its own. */
function sharing(geometry: BufferGeometry, colours: BufferAttribute): BufferGeometry {
  const copy = new BufferGeometry();
  for (const [name, attribute] of Object.entries(geometry.attributes)) copy.setAttribute(name, attribute);
  copy.setIndex(geometry.index);
  copy.boundingSphere = geometry.boundingSphere;
  copy.setAttribute("color", colours);
  return copy;
}
