/**
 * Gestures that the humanoid file has no clip for, laid over whatever it plays: nodding, cheering, pointing, dancing.
 *
 * In the rest pose every joint's frame is parallel to the figure's: x ahead, y up, z to its right.
 */

import { Euler, Quaternion, Vector3, type Bone, type Object3D } from "three";

export const NOD = 2;
export const CHEER = 3;
export const POINT = 4;
export const DANCE = 5;

const RISE_PER_S = 6;

interface Arm {
  upper: Bone;
  fore: Bone;
  /** From shoulder to elbow in the rest pose. */
  rest: Vector3;
}

export class Gestures {
  private readonly bones = new Map<string, Bone>();
  private readonly touched = new Map<Bone, { quaternion: Quaternion; position: Vector3 }>();
  private readonly left: Arm | null;
  private readonly right: Arm | null;
  private shown = 0;
  private weight = 0;
  private time = 0;
  private readonly turn = new Quaternion();
  private readonly angles = new Euler();
  private readonly towards = new Vector3();

  constructor(root: Object3D) {
    root.traverse((each) => {
      if ((each as Bone).isBone) this.bones.set(each.name, each as Bone);
    });
    this.left = this.arm("left");
    this.right = this.arm("right");
  }

  /** Takes back what `apply` changed: the mixer writes only what its clips change and would add to it. */
  restore(): void {
    for (const [bone, before] of this.touched) {
      bone.quaternion.copy(before.quaternion);
      bone.position.copy(before.position);
    }
    this.touched.clear();
  }

  /** Lays the gesture over the pose that the clips have just set; 0 and those with a clip fade it out. */
  apply(emote: number, dtS: number): void {
    const wanted = emote >= NOD && emote <= DANCE ? emote : 0;
    if (wanted && wanted !== this.shown && this.weight < 0.05) {
      this.shown = wanted;
      this.time = 0;
    }
    const rising = wanted !== 0 && wanted === this.shown;
    this.weight = Math.max(0, Math.min(1, this.weight + (rising ? dtS : -dtS) * RISE_PER_S));
    this.time += dtS;
    if (this.weight > 0) this.lay(this.shown, this.time);
  }

  private lay(emote: number, t: number): void {
    if (emote === NOD) this.nod(t);
    else if (emote === CHEER) this.cheer(t);
    else if (emote === POINT) this.point();
    else if (emote === DANCE) this.dance(t);
  }

  private nod(t: number): void {
    this.tilt("head", 0, 0, -0.18 * (1 - Math.cos(t * 7)));
  }

  private cheer(t: number): void {
    const swing = 0.16 * Math.sin(t * 9);
    this.aim(this.left, 0.12, 1, -0.42 + swing);
    this.aim(this.right, 0.12, 1, 0.42 + swing);
    this.tilt("head", 0, 0, 0.22);
    this.lift(0.05 * Math.abs(Math.sin(t * 9)));
  }

  private point(): void {
    this.aim(this.right, 1, 0.08, 0.16);
  }

  private dance(t: number): void {
    const beat = Math.sin(t * 6.5);
    this.tilt("hips", 0, 0.22 * beat, 0);
    this.tilt("spine", 0.13 * beat, -0.16 * beat, 0);
    this.tilt("head", -0.1 * beat, 0, 0.08 * Math.cos(t * 13));
    this.aim(this.left, 0.55, 0.25 + 0.45 * beat, -0.6);
    this.aim(this.right, 0.55, 0.25 - 0.45 * beat, 0.6);
    this.lift(-0.025 * (1 + Math.cos(t * 13)));
  }

  /** Turns a joint further: roll about ahead, turn about up, pitch about right. */
  private tilt(name: string, roll: number, turn: number, pitch: number): void {
    const w = this.weight;
    const bone = this.touch(this.bones.get(name));
    bone?.quaternion.multiply(this.turn.setFromEuler(this.angles.set(roll * w, turn * w, pitch * w)));
  }

  private lift(metres: number): void {
    const hips = this.touch(this.bones.get("hips"));
    if (hips) hips.position.y += metres * this.weight;
  }

  /** Points a stretched arm in a direction of the chest's frame. */
  private aim(arm: Arm | null, x: number, y: number, z: number): void {
    if (!arm) return;
    this.turn.setFromUnitVectors(arm.rest, this.towards.set(x, y, z).normalize());
    this.touch(arm.upper)?.quaternion.slerp(this.turn, this.weight);
    this.touch(arm.fore)?.quaternion.slerp(this.turn.identity(), this.weight * 0.85);
  }

  /** Remembers how the clips left a joint before it is changed. */
  private touch(bone: Bone | undefined): Bone | undefined {
    if (bone && !this.touched.has(bone)) {
      this.touched.set(bone, { quaternion: bone.quaternion.clone(), position: bone.position.clone() });
    }
    return bone;
  }

  private arm(side: string): Arm | null {
    const upper = this.bones.get(`upper_arm_${side}`);
    const fore = this.bones.get(`forearm_${side}`);
    return upper && fore ? { upper, fore, rest: fore.position.clone().normalize() } : null;
  }
}
