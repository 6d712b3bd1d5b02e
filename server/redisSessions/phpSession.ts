/** Nested deeper than any session; a value made to exhaust the stack ends here. */
const MAX_DEPTH = 64;

/** Not PHP's serialisation, or more of it than is read here. */
class PhpFormatError extends Error {
  override readonly name = 'PhpFormatError';
}

/**
 * Reads PHP's `serialize()` format: https://www.php.net/manual/function.serialize.php. Arrays and objects become Maps with text
 * keys; classes are never looked up, nothing is run. References (`r`, `R`) and `Serializable` objects (`C`) read as undefined.
 */
class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** Text up to a separator, which is passed. */
  until(separator: string): string {
    const end = this.#bytes.indexOf(separator, this.at, 'latin1');
    if (end < 0) throw new PhpFormatError(`"${separator}" is missing`);
    const text = this.#bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  value(depth = 0): unknown {
    if (depth > MAX_DEPTH) throw new PhpFormatError('nested too deeply');
    const type = String.fromCharCode(this.#bytes[this.at] ?? 0);
    this.at += 1;
    if (type === 'N') { this.#expect(';'); return null; }
    this.#expect(':');
    switch (type) {
      case 'b': return this.until(';') === '1';
      case 'i':
      case 'd': return Number(this.until(';'));
      case 'r':
      case 'R': this.until(';'); return undefined;
      case 's': { const text = this.#text(); this.#expect(';'); return text; }
      case 'E': this.#text(); this.#expect(';'); return undefined;
      case 'a': return this.#entries(depth);
      case 'O': { this.#text(); this.#expect(':'); return this.#entries(depth); }
      case 'C': {
        this.#text();
        this.#expect(':');
        const length = this.#length();
        this.#expect('{');
        this.#skip(length);
        this.#expect('}');
        return undefined;
      }
      default: throw new PhpFormatError('an unknown type');
    }
  }

  #entries(depth: number): Map<string, unknown> {
    const count = this.#length();
    this.#expect('{');
    const entries = new Map<string, unknown>();
    for (let index = 0; index < count; index += 1) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string' && typeof key !== 'number') throw new PhpFormatError('a key is neither text nor number');
      // Private and protected members are written "\0Class\0name" and "\0*\0name".
      entries.set(String(key).replace(/^\0[^\0]*\0/, ''), this.value(depth + 1));
    }
    this.#expect('}');
    return entries;
  }

  #length(): number {
    const digits = this.until(':');
    if (!/^\d{1,9}$/.test(digits)) throw new PhpFormatError('a length is not a number');
    return Number(digits);
  }

  /** `5:"hello"`; the length counts bytes. */
  #text(): string {
    const length = this.#length();
    this.#expect('"');
    const start = this.at;
    this.#skip(length);
    this.#expect('"');
    return this.#bytes.toString('utf8', start, start + length);
  }

  #skip(length: number): void {
    this.at += length;
    if (this.at > this.#bytes.length) throw new PhpFormatError('it ends too early');
  }

  #expect(character: string): void {
    if (this.#bytes[this.at] !== character.charCodeAt(0)) throw new PhpFormatError(`"${character}" was expected`);
    this.at += 1;
  }
}

/** `session.serialize_handler = php_serialize`: one serialised array. */
export function readPhpSerialize(bytes: Buffer): unknown {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!reader.ended) throw new PhpFormatError('something follows the value');
  return value;
}

/** `session.serialize_handler = php` (PHP's default): `name|value` one after another. */
export function readPhpSession(bytes: Buffer): Map<string, unknown> {
  const reader = new Reader(bytes);
  const session = new Map<string, unknown>();
  while (!reader.ended) session.set(reader.until('|'), reader.value());
  return session;
}
