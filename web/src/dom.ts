/** Small helpers for the document. Text always goes in as text, so that a name is never markup. */

/** Returns the element of that id, which the page must have. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element as T;
}

/** Makes an element with attributes and children; strings become text. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function reducedMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Returns a world's name as people write it: `plaza-3` becomes `Plaza 3`. */
export function titleOf(name: string): string {
  const words = name.replaceAll(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Whether fingers rather than a mouse and keys are at hand. */
export function byTouch(): boolean {
  return window.matchMedia("(pointer: coarse)").matches;
}

/** Reads and writes one string of localStorage; a browser that forbids it simply forgets. */
export function stored(key: string): { get(): string | null; set(value: string): void } {
  return {
    get() {
      try {
        return localStorage.getItem(key);
      } catch {
        return null;
      }
    },
    set(value) {
      try {
        localStorage.setItem(key, value);
      } catch {
        return;
      }
    },
  };
}
