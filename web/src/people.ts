/** Everybody in the world by entity id: names, whether NPC or visitor, and what they look like. */

import type { Person } from "./wire.generated";

export const NPC = 200;
export const VISITOR_KIND = 201;

export class People {
  private readonly byId = new Map<number, Person>();

  reset(list: readonly Person[]): void {
    this.byId.clear();
    for (const person of list) this.byId.set(person.id, person);
  }

  add(person: Person): void {
    this.byId.set(person.id, person);
  }

  remove(id: number): Person | undefined {
    const person = this.byId.get(id);
    this.byId.delete(id);
    return person;
  }

  get(id: number): Person | undefined {
    return this.byId.get(id);
  }

  get count(): number {
    return this.byId.size;
  }

  all(): Iterable<Person> {
    return this.byId.values();
  }
}
