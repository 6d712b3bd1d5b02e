/** A mailbox in a list: its address as the directory spells it, and where its entry stands. */
export interface ListedName {
  readonly address: string;
  readonly dn: string;
}

/** From the first page to the end of a scroll. Who goes slower than that has the list read again once a minute. */
const HELD_MS = 60_000;
/** In all lists together; some 300 bytes each. */
const MOST_HELD = 200_000;

/**
 * Names that a list was cut from, in order, for the pages that follow its first one. Names only: what is shown of a mailbox, and everything that
 * decides, is asked anew.
 */
export class HeldNames {
  readonly #most: number;
  readonly #lists = new Map<string, { readonly names: readonly ListedName[]; readonly end: NodeJS.Timeout }>();

  constructor(most = MOST_HELD) {
    this.#most = most;
  }

  /** Null where none is held, or no longer. */
  of(list: string): readonly ListedName[] | null {
    return this.#lists.get(list)?.names ?? null;
  }

  /** In place of what was held of this list. The oldest lists go where there are too many names; a list that is too long by itself is not held. */
  hold(list: string, names: readonly ListedName[]): void {
    this.drop(list);
    if (names.length > this.#most) return;
    let held = names.length;
    for (const { names: others } of this.#lists.values()) held += others.length;
    for (const [oldest, { names: others }] of this.#lists) {
      if (held <= this.#most) break;
      held -= others.length;
      this.drop(oldest);
    }
    this.#lists.set(list, { names, end: setTimeout(() => { this.drop(list); }, HELD_MS).unref() });
  }

  drop(list: string): void {
    clearTimeout(this.#lists.get(list)?.end);
    this.#lists.delete(list);
  }

  dropAll(): void {
    for (const list of this.#lists.keys()) this.drop(list);
  }
}
