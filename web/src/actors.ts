/** The nearest avatars: skinned, animated, one draw call each. */

import {
  AnimationMixer,
  BufferAttribute,
  BufferGeometry,
  Group,
  Mesh,
  MeshLambertMaterial,
  Object3D,
  type AnimationAction,
} from "three";
import { clone as cloneSkinned } from "three/addons/utils/SkeletonUtils.js";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import { Body } from "./body";
import type { Figure } from "./crowd";
import { Gestures } from "./gestures";
import { lookOf, statureOf } from "./looks";

const FADE_S = 0.22;
const RUN_FROM_MPS = 2.1;
const WALK_CLIP_MPS = 1.3;
const RUN_CLIP_MPS = 3.1;
const SIT = 1;
const LIE = 2;
const WAVE = 1;
/** The clip sits on a seat of this height; the server says where the seat's surface is. */
export const SEAT_M = 0.45;

/** A figure that may also speak. */
export type Playing = Figure & { speaking: boolean };

/** Half a body's clips, of which one plays while the last one fades. */
class Layer {
  private current: AnimationAction | null = null;

  constructor(private readonly actions: Map<string, AnimationAction>) {}

  /** Plays a clip from now on, at `pace` times its speed; an unknown one changes nothing. */
  play(name: string, pace: number): void {
    const next = this.actions.get(name);
    if (!next) return;
    next.timeScale = pace;
    if (next === this.current) return;
    next.reset().play();
    if (this.current) this.current.crossFadeTo(next, FADE_S, false);
    this.current = next;
  }
}

/** One body on the stage. */
export class Actor {
  readonly root: Object3D;
  private readonly mixer: AnimationMixer;
  private readonly lower: Layer;
  private readonly upper: Layer;
  private readonly gestures: Gestures;
  private readonly paint: BufferAttribute;
  private look = NaN;

  constructor(
    private readonly body: Body,
    material: MeshLambertMaterial,
  ) {
    this.root = cloneSkinned(body.root);
    this.paint = new BufferAttribute(new Float32Array(body.vertices * 3), 3);
    this.root.traverse((each) => {
      if (!(each instanceof Mesh)) return;
      each.geometry = sharing(each.geometry as BufferGeometry, this.paint);
      each.material = material;
      each.castShadow = each.receiveShadow = true;
    });
    this.mixer = new AnimationMixer(this.root);
    this.lower = this.layer("lower");
    this.upper = this.layer("upper");
    this.gestures = new Gestures(this.root);
    this.hide();
  }

  /** Shows a figure after `dtS` more seconds. */
  play(figure: Playing, dtS: number): void {
    this.root.visible = true;
    if (figure.look !== this.look) this.body.paint(lookOf(figure.look), this.paint);
    this.look = figure.look;
    this.stand(figure);
    const base = clipFor(figure);
    const pace = paceOf(base, figure.speed);
    const over = figure.emote === WAVE ? "wave" : figure.speaking && base !== "run" ? "talk" : base;
    this.lower.play(base, pace);
    this.upper.play(over, over === base ? pace : 1);
    this.gestures.restore();
    this.mixer.update(dtS);
    this.gestures.apply(figure.emote, dtS);
  }

  hide(): void {
    this.root.visible = false;
  }

  private stand(figure: Playing): void {
    const { x, y, z, yaw, posture } = figure;
    const size = statureOf(figure.look);
    this.root.scale.setScalar(size);
    this.root.rotation.set(0, yaw, posture === LIE ? Math.PI / 2 : 0);
    if (posture === LIE) this.root.position.set(x + 0.85 * Math.cos(yaw), z + 0.14, -(y + 0.85 * Math.sin(yaw)));
    else this.root.position.set(x, z - (posture === SIT ? SEAT_M * size : 0), -y);
  }

  private layer(half: "lower" | "upper"): Layer {
    const actions = new Map<string, AnimationAction>();
    for (const [name, clip] of this.body.clips) actions.set(name, this.mixer.clipAction(clip[half]));
    return new Layer(actions);
  }
}

/** A fixed set of bodies handed to whoever is nearest. */
export class Actors {
  readonly group = new Group();
  private readonly bodies: Body[] = [];
  private readonly pools: Actor[][] = [];
  private readonly playing = new Map<number, { actor: Actor; body: number }>();
  private readonly material = new MeshLambertMaterial({ vertexColors: true });

  /** Takes one more humanoid; until the first one nobody is skinned. */
  load(file: GLTF): void {
    this.bodies.push(new Body(file));
    this.pools.push([]);
  }

  get ready(): boolean {
    return this.bodies.length > 0;
  }

  has(id: number): boolean {
    return this.playing.has(id);
  }

  /** Gives bodies to exactly these avatars, keeping those who have one already. */
  cast(wanted: Map<number, number>): void {
    for (const [id, { actor, body }] of this.playing) {
      if (wanted.has(id)) continue;
      actor.hide();
      this.pools[body]?.push(actor);
      this.playing.delete(id);
    }
    for (const [id, look] of wanted) {
      if (!this.playing.has(id)) this.playing.set(id, this.take(look));
    }
  }

  play(id: number, figure: Playing, dtS: number): void {
    this.playing.get(id)?.actor.play(figure, dtS);
  }

  /** Hides one body for this picture, e.g. the own one in first person. */
  hide(id: number): void {
    this.playing.get(id)?.actor.hide();
  }

  private take(look: number): { actor: Actor; body: number } {
    const body = look % this.bodies.length;
    const actor = this.pools[body]?.pop() ?? this.make(this.bodies[body] as Body);
    return { actor, body };
  }

  private make(body: Body): Actor {
    const actor = new Actor(body, this.material);
    this.group.add(actor.root);
    return actor;
  }
}

function clipFor(figure: Playing): string {
  if (figure.posture === SIT) return "sit";
  if (figure.posture === LIE) return "idle";
  if (figure.speed > RUN_FROM_MPS) return "run";
  return figure.speed > 0.12 ? "walk" : "idle";
}

function paceOf(clip: string, speed: number): number {
  if (clip === "walk") return Math.max(0.35, speed / WALK_CLIP_MPS);
  return clip === "run" ? Math.max(0.6, speed / RUN_CLIP_MPS) : 1;
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
