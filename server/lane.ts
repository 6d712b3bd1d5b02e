/** Lets at most `width` pieces of work be under way at once; the others begin in the order of their arrival. */
export class Lane {
  readonly #width: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(width: number) {
    this.#width = width;
  }

  /** Rejects with what `late` makes where the signal fires before the work's turn came: then it is never begun. */
  async run<T>(work: () => Promise<T>, { signal, late = () => new Error('its turn did not come in time') }: { readonly signal?: AbortSignal; readonly late?: () => Error } = {}): Promise<T> {
    if (this.#busy >= this.#width) await this.#turn(signal, late);
    else this.#busy += 1;
    try {
      return await work();
    } finally {
      // Whoever is next takes over the place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }

  async #turn(signal: AbortSignal | undefined, late: () => Error): Promise<void> {
    if (signal?.aborted === true) throw late();
    await new Promise<void>((resolve, reject) => {
      const mine = (): void => {
        signal?.removeEventListener('abort', gone);
        resolve();
      };
      const gone = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(mine), 1);
        reject(late());
      };
      this.#waiting.push(mine);
      signal?.addEventListener('abort', gone, { once: true });
    });
  }
}
