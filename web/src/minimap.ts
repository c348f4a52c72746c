/** The map: the world photographed once from above, and dots on it for everybody the server shows us. */

import { OrthographicCamera, type Scene, type WebGLRenderer } from "three";
import { byId } from "./dom";
import type { Scenery } from "./scenery";
import { NOT_ON_MAP, type Stage } from "./stage";
import type { Bounds } from "./walls";

/** Metres across the small map: little worlds fill it. */
const SMALL_SPAN_M = { least: 28, most: 64 };
const EVERY_MS = 120;

export interface Dot {
  x: number;
  y: number;
  visitor: boolean;
  own: boolean;
}

export class Minimap {
  large = false;
  private readonly canvas = byId<HTMLCanvasElement>("minimap");
  private readonly button = byId("map-button");
  private photo: HTMLCanvasElement | null = null;
  private bounds: Bounds = { minX: 0, minY: 0, maxX: 1, maxY: 1 };
  private drawnAt = -Infinity;

  constructor() {
    this.button.addEventListener("click", () => this.toggle());
  }

  toggle(): void {
    this.large = !this.large;
    this.drawnAt = -Infinity;
    this.button.setAttribute("aria-expanded", String(this.large));
    this.button.setAttribute("aria-label", this.large ? "Map: make it smaller" : "Map: make it larger");
    this.canvas.width = this.canvas.height = this.large ? 880 : 320;
  }

  /** Takes the photograph of the still world, without people, sky and shadows. */
  shoot(stage: Stage, { bounds, box }: Scenery): void {
    const { renderer, scene, quality } = stage;
    const px = quality.current.mapPx;
    const top = box.max.y;
    this.bounds = bounds;
    const width = bounds.maxX - bounds.minX;
    const depth = bounds.maxY - bounds.minY;
    const camera = new OrthographicCamera(-width / 2, width / 2, depth / 2, -depth / 2, 1, top + 200);
    camera.position.set((bounds.minX + bounds.maxX) / 2, top + 100, -(bounds.minY + bounds.maxY) / 2);
    camera.up.set(0, 0, -1);
    camera.lookAt(camera.position.x, 0, camera.position.z);
    const scale = px / Math.max(width, depth);
    this.photo = document.createElement("canvas");
    this.photo.width = Math.max(1, Math.round(width * scale));
    this.photo.height = Math.max(1, Math.round(depth * scale));
    const hidden = scene.children.filter((each) => each.visible && each.name === NOT_ON_MAP);
    for (const each of hidden) each.visible = false;
    this.expose(renderer, scene, camera, this.photo);
    for (const each of hidden) each.visible = true;
  }

  /** Draws the map around the own avatar, a few times a second. */
  draw(own: { x: number; y: number; yaw: number }, dots: Dot[], nowMs: number): void {
    if (nowMs - this.drawnAt < EVERY_MS || !this.photo) return;
    this.drawnAt = nowMs;
    const context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    const size = this.canvas.width;
    const { minX, minY, maxX, maxY } = this.bounds;
    const whole = Math.max(maxX - minX, maxY - minY);
    const span = this.large ? whole * 1.04 : Math.min(SMALL_SPAN_M.most, Math.max(SMALL_SPAN_M.least, whole));
    const middle = this.large ? { x: (minX + maxX) / 2, y: (minY + maxY) / 2 } : own;
    const scale = size / span;
    const px = (x: number) => size / 2 + (x - middle.x) * scale;
    const py = (y: number) => size / 2 - (y - middle.y) * scale;
    context.fillStyle = "#c9cfae";
    context.fillRect(0, 0, size, size);
    context.drawImage(this.photo, px(minX), py(maxY), (maxX - minX) * scale, (maxY - minY) * scale);
    for (const dot of dots) if (!dot.own) spot(context, px(dot.x), py(dot.y), size / 84, dot.visitor);
    arrow(context, px(own.x), py(own.y), own.yaw, size / 22);
  }

  /** Renders through the page's own canvas, so that light and colours are those of the view. */
  private expose(renderer: WebGLRenderer, scene: Scene, camera: OrthographicCamera, photo: HTMLCanvasElement): void {
    const view = renderer.domElement;
    const { width, height } = view;
    const ratio = renderer.getPixelRatio();
    const shadows = renderer.shadowMap.enabled;
    const fog = scene.fog;
    scene.fog = null;
    renderer.shadowMap.enabled = false;
    renderer.setPixelRatio(1);
    renderer.setSize(photo.width, photo.height, false);
    renderer.render(scene, camera);
    (photo.getContext("2d") as CanvasRenderingContext2D).drawImage(view, 0, 0);
    scene.fog = fog;
    renderer.shadowMap.enabled = shadows;
    renderer.setPixelRatio(ratio);
    renderer.setSize(width / ratio, height / ratio, false);
  }
}

function spot(context: CanvasRenderingContext2D, x: number, y: number, radius: number, visitor: boolean): void {
  context.beginPath();
  context.arc(x, y, visitor ? radius * 1.6 : radius, 0, Math.PI * 2);
  context.fillStyle = visitor ? "#e0a040" : "#fdf8ef";
  context.strokeStyle = "rgba(42,39,48,0.75)";
  context.lineWidth = radius / 2.5;
  context.fill();
  context.stroke();
}

function arrow(context: CanvasRenderingContext2D, x: number, y: number, yaw: number, size: number): void {
  context.save();
  context.translate(x, y);
  context.rotate(-yaw);
  context.beginPath();
  context.moveTo(size, 0);
  context.lineTo(-size * 0.7, size * 0.68);
  context.lineTo(-size * 0.35, 0);
  context.lineTo(-size * 0.7, -size * 0.68);
  context.closePath();
  context.fillStyle = "#b5472f";
  context.strokeStyle = "#fdf8ef";
  context.lineWidth = size / 5;
  context.stroke();
  context.fill();
  context.restore();
}
