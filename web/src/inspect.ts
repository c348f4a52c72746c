/** Somebody's mind, laid open: who they are, what they want and why, what they see, hear, feel and attend to. */

import { el } from "./dom";
import type { Inspected, Mind, Noticed, Picture } from "./wire.generated";

/** Colour and name of each vision category, in the order of the server's `Category`. */
const CATEGORIES: [string, string][] = [
  ["#cfe3ee", "sky"],
  ["#cbb994", "ground"],
  ["#c98468", "building"],
  ["#d9c6a4", "wall"],
  ["#7a4a36", "door"],
  ["#3f7f7c", "seat"],
  ["#b08352", "table"],
  ["#6f9d4c", "vegetation"],
  ["#8f8a86", "street"],
  ["#3f6f91", "vehicle"],
  ["#84597a", "storage"],
  ["#5f6772", "appliance"],
  ["#e2ac45", "item"],
  ["#6fb3c8", "water"],
  ["#b5472f", "person"],
  ["#7f3fa0", "visitor"],
];
const TOUCH_FULL_N = 60;
/** Loudness, of 255, below which a silence is called one. */
const QUIET = 24;

/** Returns the panel's content. */
export function inspection(answer: Inspected): Node[] {
  if (answer.error) return [el("p", { class: "muted" }, answer.error)];
  const nodes: Node[] = [];
  if (answer.mind) nodes.push(...mindOf(answer.mind));
  if (Object.keys(answer.facts).length) nodes.push(facts(answer.facts));
  return nodes.length ? nodes : [el("p", { class: "muted" }, "There is nothing more to say about it.")];
}

function mindOf(mind: Mind): Node[] {
  const nodes: Node[] = [];
  if (mind.persona) nodes.push(el("p", { class: "muted" }, sentence(mind.persona)));
  if (mind.intent) nodes.push(section("Now"), el("p", { class: "lead" }, sentence(mind.intent)));
  if (mind.reason) nodes.push(el("p", { class: "muted" }, sentence(mind.reason)));
  if (Object.keys(mind.needs).length) nodes.push(section("Needs"), bars(mind.needs, {}));
  if (mind.vision) nodes.push(section("Sees"), ...seen(mind.vision));
  if (mind.hearing && mind.bands) nodes.push(section("Hears"), ...heard(mind.hearing, mind.bands));
  if (mind.touch.length) nodes.push(section("Feels"), ...felt(mind.touch));
  if (Object.keys(mind.contribution).length) nodes.push(section("Decides by"), bars(mind.contribution, mind.senses));
  if (mind.noticed.length) nodes.push(section("Attends to"), attention(mind.noticed));
  if (mind.remembers.length) nodes.push(section("Remembers"), el("ul", {}, ...mind.remembers.map((each) => el("li", {}, each))));
  return nodes;
}

/** The text with a capital first and a full stop last. */
function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

function section(title: string): HTMLElement {
  return el("h3", {}, title);
}

function facts(list: Record<string, string>): HTMLElement {
  const rows = Object.entries(list).flatMap(([label, value]) => [el("dt", {}, label), el("dd", {}, value)]);
  return el("dl", { class: "facts-list" }, ...rows);
}

function bars(shares: Record<string, number>, present: Record<string, boolean>): HTMLElement {
  const rows = Object.entries(shares).flatMap(([name, share]) => {
    const absent = present[name] === false;
    return bar(name, share, absent);
  });
  return el("div", { class: "bars" }, ...rows);
}

function bar(name: string, share: number, absent = false): HTMLElement[] {
  const percent = `${Math.round(100 * share)} %`;
  const meter = el("meter", { min: "0", max: "1", low: "0.3", high: "0.3", optimum: "1", "aria-label": `${name} ${percent}` });
  meter.value = Math.max(0, Math.min(1, share));
  return [el("span", absent ? { class: "absent" } : {}, name), meter, el("output", {}, absent ? "absent" : percent)];
}

function attention(noticed: Noticed[]): HTMLElement {
  const rows = noticed.slice(0, 6).flatMap((each) => {
    const away = each.distance_m >= 0 ? `, ${each.distance_m.toFixed(1)} m` : "";
    return bar(`${each.title || each.sense}${away}`, each.weight);
  });
  return el("div", { class: "bars" }, ...rows);
}

/** Draws kinds as colours, paler with distance, and says in words what fills the view. */
function seen(picture: Picture): Node[] {
  const { rows, columns, depth, kind } = picture;
  const canvas = el("canvas", { class: "seen", role: "img", width: String(columns), height: String(rows) });
  canvas.style.aspectRatio = `${columns} / ${rows * 1.25}`;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const counts = new Map<number, number>();
  for (let i = 0; i < rows * columns; i++) {
    const category = kind[i] ?? 0;
    counts.set(category, (counts.get(category) ?? 0) + 1);
    context.fillStyle = (CATEGORIES[category] ?? CATEGORIES[0]!)[0];
    context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
    context.fillStyle = `rgba(223, 232, 238, ${(0.62 * (depth[i] ?? 0)) / 255})`;
    context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
  }
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 6).map(([category]) => CATEGORIES[category] ?? CATEGORIES[0]!);
  canvas.setAttribute("aria-label", `Its view holds mostly ${most.map(([, name]) => name).join(", ")}.`);
  const legend = el("div", { class: "legend", "aria-hidden": "true" }, ...most.map(([colour, name]) => swatch(colour, name)));
  return [canvas, legend];
}

function swatch(colour: string, name: string): HTMLElement {
  const dot = el("i");
  dot.style.background = colour;
  return el("span", {}, dot, name);
}

/** Bars of the mel bands, left ear upward, right ear downward. */
function heard(levels: Uint8Array, bands: number): HTMLElement[] {
  if (Math.max(...levels) < QUIET) return [el("p", { class: "muted" }, "Next to nothing.")];
  const canvas = el("canvas", { class: "heard", role: "img", width: "312", height: "52" });
  canvas.setAttribute("aria-label", "Sounds by pitch, low to high; left ear above, right ear below.");
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const step = 312 / bands;
  for (let band = 0; band < bands; band++) {
    const left = (levels[band] ?? 0) / 255;
    const right = (levels[bands + band] ?? 0) / 255;
    context.fillStyle = "#4f7a5b";
    context.fillRect(band * step + 1, 25 - 24 * left, step - 2, Math.max(1, 24 * left));
    context.fillStyle = "#3f6f91";
    context.fillRect(band * step + 1, 27, step - 2, Math.max(1, 24 * right));
  }
  return [canvas];
}

/** Draws a body from above, front up, with pressure on its eight sides and in the hand. */
function felt(newtons: number[]): HTMLElement[] {
  const most = Math.max(...newtons);
  if (most < 1) return [el("p", { class: "muted" }, "Nothing touches it.")];
  const canvas = el("canvas", { class: "felt", role: "img", width: "208", height: "208" });
  canvas.setAttribute("aria-label", `It feels up to ${Math.round(most)} newtons.`);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.translate(104, 104);
  for (let sector = 0; sector < 8; sector++) {
    const middle = -Math.PI / 2 - (sector * Math.PI) / 4;
    const share = Math.min(1, (newtons[sector] ?? 0) / TOUCH_FULL_N);
    context.beginPath();
    context.arc(0, 0, 70 + 26 * share, middle - 0.35, middle + 0.35);
    context.arc(0, 0, 50, middle + 0.35, middle - 0.35, true);
    context.closePath();
    context.fillStyle = `rgb(${Math.round(232 - 51 * share)}, ${Math.round(224 - 153 * share)}, ${Math.round(210 - 163 * share)})`;
    context.fill();
  }
  const hand = Math.min(1, (newtons[8] ?? 0) / TOUCH_FULL_N);
  context.beginPath();
  context.arc(0, 0, 34, 0, Math.PI * 2);
  context.fillStyle = hand > 0 ? "#b5472f" : "#efe6d6";
  context.fill();
  return [canvas];
}
