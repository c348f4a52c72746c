/** The one side panel: people, help, building, or somebody's mind. It takes the focus when opened and gives it back. */

import { byId, el } from "./dom";

export interface DrawerOptions {
  /** Whether it may cover the map. */
  tall?: boolean;
  /** Buttons below the heading that stay when the content changes. */
  actions?: Node[];
  /** Called once when it closes or gives way to another panel. */
  onClose?: () => void;
}

export class Drawer {
  /** What is open, or empty. */
  showing = "";
  private readonly root = byId("drawer");
  private body: HTMLElement = el("div");
  private before: HTMLElement | null = null;
  private onClose: (() => void) | null = null;
  private pressed = false;

  constructor() {
    this.root.addEventListener("pointerdown", () => (this.pressed = true));
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => (this.pressed = false));
  }

  /**
   * Opens a panel, or shows new content in it when it is open already.
   *
   * @param name - What it is, e.g. `people`.
   * @param title - Its heading.
   * @param content - Below the heading and the actions; `update` replaces it.
   */
  open(name: string, title: string, content: Node[], options: DrawerOptions = {}): void {
    if (this.showing !== name) {
      this.onClose?.();
      this.onClose = options.onClose ?? null;
      if (!this.showing) this.before = document.activeElement as HTMLElement | null;
    }
    const fresh = this.showing !== name;
    this.showing = name;
    const scrolled = this.root.scrollTop;
    const heading = el("h2", { tabindex: "-1", id: "drawer-title" }, title);
    const close = el("button", { type: "button", class: "close", "aria-label": "Close this panel" }, "×");
    close.addEventListener("click", () => this.close());
    this.body = el("div", {}, ...content);
    const actions = options.actions?.length ? [el("div", { class: "actions" }, ...options.actions)] : [];
    this.root.replaceChildren(el("div", { class: "drawer-head" }, heading, close), ...actions, this.body);
    this.root.setAttribute("aria-labelledby", "drawer-title");
    this.root.classList.toggle("tall", options.tall === true);
    this.root.hidden = false;
    if (fresh) heading.focus({ preventScroll: true });
    else this.root.scrollTop = scrolled;
    this.mark();
  }

  /** Changes what is below the heading without touching focus or scroll. */
  update(name: string, content: Node[]): void {
    if (this.showing !== name) return;
    const scrolled = this.root.scrollTop;
    this.body.replaceChildren(...content);
    this.root.scrollTop = scrolled;
  }

  /** Closes; returns false when nothing was open. */
  close(): boolean {
    if (!this.showing) return false;
    this.showing = "";
    this.root.hidden = true;
    this.root.replaceChildren();
    this.onClose?.();
    this.onClose = null;
    this.before?.focus({ preventScroll: true });
    this.mark();
    return true;
  }

  /** Whether somebody is about to press something in it, so that it should hold still. */
  get busy(): boolean {
    const hovered = window.matchMedia("(hover: hover)").matches && this.root.matches(":hover");
    return this.pressed || hovered || this.body.contains(document.activeElement);
  }

  private mark(): void {
    byId("people-button").setAttribute("aria-expanded", String(this.showing === "people"));
    byId("build-button").setAttribute("aria-expanded", String(this.showing === "build"));
    byId("help-button").setAttribute("aria-expanded", String(this.showing === "help"));
  }
}
