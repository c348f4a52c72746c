/** The world's file on the stage: loading it, walking under its roofs, and its picture on the map. */

import { Vector3 } from "three";
import { note } from "./hud";
import { loadGlb } from "./loading";
import type { Minimap } from "./minimap";
import { Scenery } from "./scenery";
import { Shelter } from "./shelter";
import type { Stage } from "./stage";
import type { Things } from "./things";
import type { Walls } from "./walls";

export class Place {
  scenery: Scenery | null = null;
  /** Middle of the world, three.js frame, and its radius in metres. */
  readonly middle = new Vector3();
  radius = 60;
  private shelter: Shelter | null = null;
  private tag = "";

  constructor(
    private readonly stage: Stage,
    private readonly things: Things,
    private readonly minimap: Minimap,
  ) {}

  get walls(): Walls | null {
    return this.scenery?.walls ?? null;
  }

  /** Whether the file at a URL is the one on the stage: the server's URLs carry the file's tag. */
  isShown(url: string): boolean {
    return this.tag !== "" && url.includes(this.tag);
  }

  /** Replaces the world's file; without success the old one stays. */
  async load(url: string): Promise<void> {
    try {
      const { file, tag } = await loadGlb(url);
      const scenery = new Scenery(file.scene);
      this.scenery?.dispose();
      this.scenery = scenery;
      this.shelter = new Shelter(scenery);
      this.tag = tag;
      this.survey(scenery);
      this.stage.scene.add(scenery.root);
      this.minimap.shoot(this.stage, scenery);
      this.bind();
    } catch (error) {
      note(`The world's picture could not be loaded: ${String(error)}.`);
    }
  }

  /** Lets the list of things take hold of the nodes that show them. */
  bind(): void {
    if (this.scenery) this.things.bind(this.scenery);
  }

  /** Opens roofs and storeys over who stands there, three.js frame, unless the view is from `within` its head. */
  enter(at: Vector3, level: number, within: boolean, dtS: number): void {
    this.shelter?.update(at, level, within, dtS);
    this.stage.shelter(this.shelter?.indoors ?? false, dtS);
  }

  private survey({ box, bounds }: Scenery): void {
    box.getCenter(this.middle);
    this.middle.y = Math.max(0, box.min.y);
    this.radius = Math.hypot(bounds.maxX - bounds.minX, bounds.maxY - bounds.minY) / 2;
    this.stage.sky.surround(this.middle, this.radius, box.min.y);
  }
}
