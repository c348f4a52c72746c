/** Name tags and speech bubbles over the heads of those near by. */

import { Vector3, type PerspectiveCamera } from "three";
import { byId, el } from "./dom";
import type { Drawn } from "./avatars";
import { claims, inView, type Box } from "./boxes";
import type { Walls } from "./walls";

const TAG_REACH_M = 16;
const BUBBLE_REACH_M = 32;
const MOST = 18;
const TAG_PX = 24;
/** Of a bubble: its widest text, a line, its padding with the tail, and an average letter. */
const BUBBLE = { widest: 250, line: 20, padding: 28, letter: 7.2 };
const HEAD_M = 1.98;
const SEATED_HEAD_M = 1.12;
const READ_MS_PER_CHARACTER = 65;
/** Fainter names could not be read on every ground. */
const FAINTEST = 0.7;

interface Tag {
  root: HTMLElement;
  name: HTMLElement;
  bubble: HTMLElement | null;
  bubbleUntil: number;
}

export class Labels {
  private readonly layer = byId("labels");
  private readonly tags = new Map<number, Tag>();
  private readonly point = new Vector3();
  private readonly taken: Box[] = [];
  private reserved: Box[] = [];

  /** Shows a speech bubble for as long as reading it takes. */
  say(id: number, text: string, nowMs: number): void {
    const tag = this.tags.get(id) ?? this.make(id);
    tag.bubble?.remove();
    tag.bubble = el("q", {}, text.length > 160 ? `${text.slice(0, 158)}…` : text);
    tag.root.prepend(tag.bubble);
    // Its place is known with the next picture.
    tag.root.hidden = true;
    tag.bubbleUntil = nowMs + 2500 + text.length * READ_MS_PER_CHARACTER;
  }

  /** Keeps tags away from these parts of the screen, CSS pixels. */
  reserve(boxes: Box[]): void {
    this.reserved = boxes;
  }

  /** Removes somebody who left. */
  drop(id: number): void {
    this.tags.get(id)?.root.remove();
    this.tags.delete(id);
  }

  /** Removes everybody; for a new epoch. */
  clear(): void {
    for (const id of [...this.tags.keys()]) this.drop(id);
  }

  /** How many tags are on the screen. */
  get shown(): number {
    return [...this.tags.values()].filter((tag) => !tag.root.hidden).length;
  }

  /** Puts the tags where the picture just drawn has the heads; `camera` is as it was drawn with. */
  update(
    all: Drawn[],
    camera: PerspectiveCamera,
    walls: Walls | null,
    nameOf: (id: number) => { title: string; visitor: boolean } | null,
    nowMs: number,
  ): void {
    const near = all
      .filter((each) => each.distance < (this.speaks(each.id, nowMs) ? BUBBLE_REACH_M : TAG_REACH_M))
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, MOST);
    const kept = new Set(near.map((each) => each.id));
    for (const id of [...this.tags.keys()]) if (!kept.has(id) && !this.speaks(id, nowMs)) this.drop(id);
    const width = this.layer.clientWidth;
    const height = this.layer.clientHeight;
    for (const tag of this.tags.values()) tag.root.hidden = true;
    this.taken.splice(0, Infinity, ...this.reserved);
    for (const each of near) {
      const tag = this.tags.get(each.id) ?? this.make(each.id);
      this.expire(tag, nowMs);
      const person = nameOf(each.id);
      if (!person || (each.own && !tag.bubble)) continue;
      tag.name.hidden = each.own;
      if (tag.name.textContent !== person.title) tag.name.textContent = person.title;
      tag.root.classList.toggle("visitor", person.visitor);
      this.place(tag, each, camera, walls, width, height);
    }
  }

  private place(tag: Tag, each: Drawn, camera: PerspectiveCamera, walls: Walls | null, width: number, height: number): void {
    const top = each.z + (each.posture > 0 ? SEATED_HEAD_M : HEAD_M);
    this.point.set(each.x, top, -each.y).project(camera);
    const { x, y, z } = this.point;
    if (z > 1 || Math.abs(x) > 1 || y < -1) return;
    const eye = camera.position;
    if (walls && walls.sight(eye.x, -eye.z, eye.y, each.x, each.y, top) < 1) return;
    const box = inView(boxOf(tag, (x * 0.5 + 0.5) * width, (0.5 - y * 0.5) * height), width);
    if (box.bottom < 0 || !claims(box, this.taken)) return;
    tag.root.hidden = false;
    const middle = (box.left + box.right) / 2;
    tag.root.style.transform = `translate(${middle.toFixed(1)}px, ${box.bottom.toFixed(1)}px) translate(-50%, -100%)`;
    tag.root.style.opacity = String(Math.max(FAINTEST, Math.min(1, 1.4 - each.distance / TAG_REACH_M)));
    tag.root.style.zIndex = String(1000 - Math.round(each.distance * 10));
  }

  private speaks(id: number, nowMs: number): boolean {
    return (this.tags.get(id)?.bubbleUntil ?? 0) > nowMs;
  }

  private expire(tag: Tag, nowMs: number): void {
    if (!tag.bubble || tag.bubbleUntil > nowMs) return;
    tag.bubble.remove();
    tag.bubble = null;
  }

  private make(id: number): Tag {
    const name = el("span");
    const root = el("div", { class: "tag" }, name);
    root.hidden = true;
    this.layer.append(root);
    const tag = { root, name, bubble: null, bubbleUntil: 0 };
    this.tags.set(id, tag);
    return tag;
  }
}

/** Who gets a place first: we, other visitors, then the nearest. */
function rank(each: Drawn): number {
  return each.distance - (each.own ? 2000 : each.visitor ? 1000 : 0);
}

/** The place that a tag would take when its lower middle is there. */
function boxOf({ name, bubble }: Tag, x: number, y: number): Box {
  const width = 18 + BUBBLE.letter * (name.textContent ?? "").length;
  if (!bubble) return { left: x - width / 2, right: x + width / 2, top: y - TAG_PX, bottom: y };
  const text = BUBBLE.letter * (bubble.textContent ?? "").length;
  const wide = Math.max(width, Math.min(BUBBLE.widest, text + BUBBLE.padding));
  const high = TAG_PX + BUBBLE.padding + BUBBLE.line * Math.ceil(text / (BUBBLE.widest - BUBBLE.padding));
  return { left: x - wide / 2, right: x + wide / 2, top: y - high, bottom: y };
}
