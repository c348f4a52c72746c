/** The first screen: a name and Enter. */

import { byId, stored, titleOf } from "./dom";

const facts = byId("join-facts");

export class JoinScreen {
  private readonly field = byId<HTMLInputElement>("join-name");
  private readonly button = byId("join-form").querySelector("button") as HTMLButtonElement;
  private readonly error = byId("join-error");
  private readonly name = stored("ecumene.name");

  constructor(onJoin: (name: string) => void) {
    this.field.value = this.name.get() ?? "";
    byId("join-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.field.value.trim();
      if (!name) return this.fail("Please type a name first.");
      this.name.set(name);
      onJoin(name);
    });
    this.field.focus();
    this.field.select();
  }

  /** Shows that joining is under way. */
  wait(reason: string): void {
    this.button.disabled = true;
    this.button.textContent = "Walking in…";
    this.error.textContent = reason;
  }

  /** Shows why joining did not work. */
  fail(reason: string): void {
    document.body.dataset["state"] = "join";
    this.button.disabled = false;
    this.button.textContent = "Walk in";
    this.error.textContent = reason;
    this.field.focus();
  }

  done(): void {
    this.button.disabled = false;
    this.button.textContent = "Walk in";
    this.error.textContent = "";
    document.body.dataset["state"] = "world";
  }
}

/** Tells on the first screen whose world this is and who is in it; silent while the server does not answer. */
export async function showFacts(): Promise<void> {
  try {
    const health = (await (await fetch("healthz")).json()) as { title?: string; npcs?: number; clients?: number };
    if (health.title) byId("join-world").textContent = titleOf(health.title);
    facts.textContent = sentence(health.npcs ?? 0, health.clients ?? 0);
  } catch {
    facts.textContent = "The world does not answer at the moment.";
  }
}

function sentence(npcs: number, visitors: number): string {
  const live = npcs === 1 ? "One soul lives here" : `${npcs} souls live here`;
  if (visitors === 0) return `${live}.`;
  return `${live}; ${visitors === 1 ? "one visitor is" : `${visitors} visitors are`} with them.`;
}
