/** Fingers: the left half of the screen is a stick that appears where it is touched, the right half looks around. */

const REACH_PX = 52;
const RUN_FROM = 0.92;
const TAP_PX = 10;
const TAP_MS = 280;

export interface TouchHandlers {
  look(dx: number, dy: number): void;
  pick(x: number, y: number): void;
  zoom(notches: number): void;
}

interface Finger {
  startX: number;
  startY: number;
  x: number;
  y: number;
  at: number;
  stick: boolean;
}

export class Touch {
  enabled = false;
  /** Ahead and left, each −1..1. */
  readonly move = { ahead: 0, left: 0 };
  running = false;
  private readonly fingers = new Map<number, Finger>();
  private spread = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly stick: HTMLElement,
    private readonly handlers: TouchHandlers,
  ) {
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.slide(event));
    canvas.addEventListener("pointerup", (event) => this.lift(event));
    canvas.addEventListener("pointercancel", (event) => this.lift(event));
  }

  private press(event: PointerEvent): void {
    if (!this.enabled || event.pointerType !== "touch") return;
    this.canvas.setPointerCapture(event.pointerId);
    const { clientX: x, clientY: y } = event;
    const taken = [...this.fingers.values()].some((finger) => finger.stick);
    const stick = x < this.canvas.clientWidth / 2 && !taken;
    this.fingers.set(event.pointerId, { startX: x, startY: y, x, y, at: event.timeStamp, stick });
    if (stick) this.showStick(x, y, 0, 0);
  }

  private slide(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    const dx = event.clientX - finger.x;
    const dy = event.clientY - finger.y;
    finger.x = event.clientX;
    finger.y = event.clientY;
    if (finger.stick) this.push(finger);
    else if (this.lookers().length === 2) this.pinch();
    else this.handlers.look(dx * 1.4, dy * 1.4);
  }

  private lift(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    this.fingers.delete(event.pointerId);
    this.spread = 0;
    if (finger.stick) this.rest();
    const gone = Math.hypot(finger.x - finger.startX, finger.y - finger.startY);
    if (gone < TAP_PX && event.timeStamp - finger.at < TAP_MS) this.handlers.pick(event.offsetX, event.offsetY);
  }

  private lookers(): Finger[] {
    return [...this.fingers.values()].filter((finger) => !finger.stick);
  }

  private pinch(): void {
    const [a, b] = this.lookers() as [Finger, Finger];
    const spread = Math.hypot(a.x - b.x, a.y - b.y);
    if (this.spread > 0 && Math.abs(spread - this.spread) > 12) this.handlers.zoom(Math.sign(this.spread - spread));
    if (this.spread === 0 || Math.abs(spread - this.spread) > 12) this.spread = spread;
  }

  private push(finger: Finger): void {
    const dx = finger.x - finger.startX;
    const dy = finger.y - finger.startY;
    const length = Math.hypot(dx, dy);
    const share = Math.min(1, length / REACH_PX) / Math.max(1e-6, length);
    this.move.ahead = -dy * share;
    this.move.left = -dx * share;
    this.running = length > REACH_PX * 1.5 && Math.hypot(this.move.ahead, this.move.left) > RUN_FROM;
    this.showStick(finger.startX, finger.startY, dx * share * REACH_PX, dy * share * REACH_PX);
  }

  private rest(): void {
    this.move.ahead = this.move.left = 0;
    this.running = false;
    this.stick.classList.remove("held");
    this.stick.removeAttribute("style");
    (this.stick.firstElementChild as HTMLElement).removeAttribute("style");
  }

  private showStick(x: number, y: number, dx: number, dy: number): void {
    this.stick.classList.add("held");
    this.stick.style.transform = `translate(${x}px, ${y}px)`;
    this.stick.style.left = this.stick.style.top = "0";
    this.stick.style.bottom = "auto";
    (this.stick.firstElementChild as HTMLElement).style.transform = `translate(${dx}px, ${dy}px)`;
  }
}
