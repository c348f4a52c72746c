/** Who is drawn how: the nearest with a skeleton, the rest as a crowd, and soft shadows for machines without real ones. */

import {
  CanvasTexture,
  CircleGeometry,
  DynamicDrawUsage,
  Group,
  InstancedMesh,
  Matrix4,
  MeshBasicMaterial,
} from "three";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import { Actors } from "./actors";
import { Crowd, type Figure } from "./crowd";
import { NOT_ON_MAP } from "./stage";

const CAPACITY = 2048;
const RECAST_S = 0.25;
const SKINNED_REACH_M = 45;
/** Those who have a body count as this much nearer, so that two at equal distance don't swap it every moment. */
const LOYALTY = 0.8;

/** One avatar as the page knows it this moment. */
export interface Drawn extends Figure {
  id: number;
  speaking: boolean;
  visitor: boolean;
  own: boolean;
  /** Metres from the camera. */
  distance: number;
}

export class Avatars {
  readonly root = new Group();
  private readonly actors = new Actors();
  private readonly crowd = new Crowd(CAPACITY);
  private readonly blobs = blobMesh();
  private readonly matrix = new Matrix4();
  private untilRecast = 0;

  constructor() {
    this.root.name = NOT_ON_MAP;
    this.root.add(this.actors.group, this.crowd.mesh, this.blobs);
  }

  load(file: GLTF): void {
    this.actors.load(file);
  }

  /**
   * Draws everybody.
   *
   * @param skinned - How many may have a skeleton.
   * @param shadows - Whether the sun casts shadows; otherwise everybody gets a soft disc.
   * @param headless - Whether the own avatar is left out because the camera is in its head.
   */
  update(all: Drawn[], dtS: number, skinned: number, shadows: boolean, headless: boolean): void {
    this.untilRecast -= dtS;
    if (this.actors.ready && this.untilRecast <= 0) {
      this.untilRecast = RECAST_S;
      this.actors.cast(this.nearest(all, skinned));
    }
    const far: Figure[] = [];
    for (const each of all) {
      if (this.actors.has(each.id)) this.actors.play(each.id, each, dtS);
      else if (!(each.own && headless)) far.push(each);
      if (each.own && headless) this.actors.hide(each.id);
    }
    this.crowd.show(far);
    this.showBlobs(shadows ? [] : all);
  }

  /** Ids and looks of those who get a body. */
  private nearest(all: Drawn[], count: number): Map<number, number> {
    const rank = (each: Drawn) => (each.own ? -1 : each.distance * (this.actors.has(each.id) ? LOYALTY : 1));
    const near = all.filter((each) => each.own || each.distance < SKINNED_REACH_M);
    near.sort((a, b) => rank(a) - rank(b));
    return new Map(near.slice(0, count).map((each) => [each.id, each.look]));
  }

  private showBlobs(all: Drawn[]): void {
    let n = 0;
    for (const each of all) {
      if (n >= CAPACITY || each.distance > 60) continue;
      this.blobs.setMatrixAt(n++, this.matrix.makeTranslation(each.x, each.z + 0.03, -each.y));
    }
    this.blobs.count = n;
    this.blobs.visible = n > 0;
    this.blobs.instanceMatrix.needsUpdate = true;
  }
}

function blobMesh(): InstancedMesh {
  const geometry = new CircleGeometry(0.42, 16).rotateX(-Math.PI / 2);
  const material = new MeshBasicMaterial({ map: softDisc(), transparent: true, depthWrite: false, color: "#1d1a24" });
  const mesh = new InstancedMesh(geometry, material, CAPACITY);
  mesh.instanceMatrix.setUsage(DynamicDrawUsage);
  mesh.frustumCulled = false;
  mesh.count = 0;
  mesh.renderOrder = 1;
  return mesh;
}

function softDisc(): CanvasTexture {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const gradient = context.createRadialGradient(32, 32, 4, 32, 32, 32);
  gradient.addColorStop(0, "rgba(255,255,255,0.5)");
  gradient.addColorStop(1, "rgba(255,255,255,0)");
  context.fillStyle = gradient;
  context.fillRect(0, 0, 64, 64);
  return new CanvasTexture(canvas);
}
