import { inspect } from 'node:util';

/**
 * A password on its way through the server half. It cannot be printed, logged, put into JSON or into a template by
 * accident; `reveal()` is called only where the bytes are really needed (a hash, a protocol message).
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
