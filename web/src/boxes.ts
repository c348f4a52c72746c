/** Rectangles of the screen, CSS pixels, that may not lie over each other. */

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const EDGE_PX = 4;

/** Adds a box to those taken and returns true, or false when it would lie over one of them. */
export function claims(box: Box, taken: Box[]): boolean {
  if (taken.some((each) => overlap(each, box))) return false;
  taken.push(box);
  return true;
}

/** Returns the box moved sideways so that a window of that width shows all of it; too wide a box keeps its left edge. */
export function inView(box: Box, width: number): Box {
  const over = Math.max(0, box.right - (width - EDGE_PX));
  const left = Math.max(EDGE_PX, box.left - over);
  return { ...box, left, right: left + box.right - box.left };
}

/** Returns where the elements that a selector finds are shown; those that take no place are left out. */
export function boxesOf(selector: string): Box[] {
  const boxes = [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect());
  return boxes.filter((box) => box.width > 0 && box.height > 0);
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
