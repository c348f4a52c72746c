/** Keyboard and mouse: what is held down moves and turns, what is pressed asks for something. */

export type Command =
  | "use"
  | "chat"
  | "people"
  | "inspect"
  | "describe"
  | "person"
  | "map"
  | "build"
  | "help"
  | "escape"
  | { gesture: number };

export interface InputHandlers {
  command(command: Command): void;
  look(dx: number, dy: number): void;
  zoom(notches: number): void;
  /** A press without a drag, in CSS pixels of the canvas. */
  pick(x: number, y: number): void;
}

const PRESSED: Record<string, Command> = {
  KeyE: "use",
  Enter: "chat",
  KeyP: "people",
  KeyI: "inspect",
  KeyT: "describe",
  KeyV: "person",
  KeyM: "map",
  KeyB: "build",
  KeyH: "help",
  Escape: "escape",
  KeyQ: { gesture: 1 },
  Digit1: { gesture: 1 },
  Digit2: { gesture: 2 },
  Digit3: { gesture: 3 },
  Digit4: { gesture: 4 },
  Digit5: { gesture: 5 },
};
const HELD = new Set(["KeyW", "KeyA", "KeyS", "KeyD", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "ShiftLeft", "ShiftRight"]);
const DRAG_PX = 4;

export class Input {
  /** Only while the visitor is in the world and no dialogue has the keyboard. */
  enabled = false;
  private readonly down = new Set<string>();
  private drag: { x: number; y: number; moved: number } | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly handlers: InputHandlers,
  ) {
    window.addEventListener("keydown", (event) => this.keyDown(event));
    window.addEventListener("keyup", (event) => this.down.delete(event.code));
    window.addEventListener("blur", () => this.release());
    canvas.addEventListener("pointerdown", (event) => this.pointerDown(event));
    canvas.addEventListener("pointermove", (event) => this.pointerMove(event));
    canvas.addEventListener("pointerup", (event) => this.pointerUp(event));
    canvas.addEventListener("pointercancel", () => (this.drag = null));
    canvas.addEventListener("dblclick", () => this.lock());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** Ahead and left, each −1..1. */
  get move(): { ahead: number; left: number } {
    const ahead = Number(this.held("KeyW", "ArrowUp")) - Number(this.held("KeyS", "ArrowDown"));
    const left = Number(this.held("KeyA")) - Number(this.held("KeyD"));
    return { ahead, left };
  }

  /** Turning by arrow keys, counter-clockwise positive, −1..1. */
  get turning(): number {
    return Number(this.held("ArrowLeft")) - Number(this.held("ArrowRight"));
  }

  get running(): boolean {
    return this.held("ShiftLeft", "ShiftRight");
  }

  /** Lets go of every key, e.g. when a text field takes the keyboard. */
  release(): void {
    this.down.clear();
    this.drag = null;
  }

  private held(...codes: string[]): boolean {
    return codes.some((code) => this.down.has(code));
  }

  private keyDown(event: KeyboardEvent): void {
    if (event.code === "Escape") this.handlers.command("escape");
    if (!this.enabled || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (HELD.has(event.code)) {
      this.down.add(event.code);
      event.preventDefault();
      return;
    }
    const command = PRESSED[event.code];
    if (!command || event.repeat || event.code === "Escape") return;
    // A focused button answers Enter itself.
    if (event.code === "Enter" && event.target instanceof HTMLButtonElement) return;
    event.preventDefault();
    this.handlers.command(command);
  }

  private pointerDown(event: PointerEvent): void {
    if (!this.enabled || event.pointerType === "touch") return;
    this.canvas.focus({ preventScroll: true });
    if (document.pointerLockElement) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = { x: event.clientX, y: event.clientY, moved: 0 };
  }

  private pointerMove(event: PointerEvent): void {
    if (document.pointerLockElement === this.canvas) return this.handlers.look(event.movementX, event.movementY);
    if (!this.drag || event.pointerType === "touch") return;
    const dx = event.clientX - this.drag.x;
    const dy = event.clientY - this.drag.y;
    this.drag = { x: event.clientX, y: event.clientY, moved: this.drag.moved + Math.abs(dx) + Math.abs(dy) };
    if (this.drag.moved > DRAG_PX) this.handlers.look(dx, dy);
  }

  private pointerUp(event: PointerEvent): void {
    const drag = this.drag;
    this.drag = null;
    if (drag && drag.moved <= DRAG_PX) this.handlers.pick(event.offsetX, event.offsetY);
  }

  private lock(): void {
    // Refused without a user's gesture or in a frame; dragging works all the same.
    if (this.enabled) void Promise.resolve(this.canvas.requestPointerLock()).catch(() => undefined);
  }

  private wheel(event: WheelEvent): void {
    if (!this.enabled) return;
    event.preventDefault();
    this.handlers.zoom(Math.sign(event.deltaY));
  }
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
