/** The chat log and its text field. */

import { byId, el } from "./dom";

const KEPT = 80;
const FADE_MS = 14_000;

export class Chat {
  private readonly log = byId<HTMLOListElement>("chat-log");
  private readonly field = byId<HTMLInputElement>("chat-text");

  /** @param say - Sends a text; returns false when that is not possible now. */
  constructor(say: (text: string) => boolean) {
    byId("chat-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.field.value.trim();
      if (text && !say(text)) return;
      this.field.value = "";
      this.leave();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.leave();
      event.stopPropagation();
    });
  }

  /** Puts the keyboard into the text field, perhaps with a beginning. */
  focus(beginning = ""): void {
    if (beginning) this.field.value = beginning;
    this.field.focus();
    this.field.setSelectionRange(this.field.value.length, this.field.value.length);
  }

  /** Says in the field whom one could speak to. */
  hint(text: string): void {
    if (this.field.placeholder !== text) this.field.placeholder = text;
  }

  said(title: string, text: string, own: boolean): void {
    const line = el("li", own ? { class: "own" } : {}, el("b", {}, title), text);
    this.add(line);
  }

  /** Adds a line about something that happened. */
  event(text: string): void {
    this.add(el("li", { class: "event" }, text));
  }

  private add(line: HTMLElement): void {
    this.log.append(line);
    while (this.log.childElementCount > KEPT) this.log.firstElementChild?.remove();
    this.log.scrollTop = this.log.scrollHeight;
    setTimeout(() => line.classList.add("old"), FADE_MS);
  }

  private leave(): void {
    this.field.blur();
    byId("view").focus({ preventScroll: true });
  }
}
