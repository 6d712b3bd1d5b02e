/** Where a file is no JSON, in the words of somebody who has never heard of it. */
export interface JsonProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
  readonly suggestion: string;
}

const SPACE = /\s*/y;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const WORD = /(?:true|false|null|-?\d+(?:\.\d+)?)(?=[\s,}\]])/y;
const LINE = 'each line is "key": "text",';
const QUOTES = 'close the text with "; inside it write \\" or the quotation marks of your language';

class Found extends Error {
  constructor(readonly at: number, readonly what: string, readonly suggestion: string) { super(what); }
}

/** The first thing that is wrong; null where it is an object that can be read. JSON's own messages name no line in every version of Node. */
export function jsonProblem(content: string): JsonProblem | null {
  if (content.startsWith('\ufeff')) return { line: 1, message: 'begins with a mark that cannot be seen (BOM)', suggestion: 'save it as UTF-8 without BOM' };
  try {
    const all: unknown = JSON.parse(content);
    return typeof all === 'object' && all !== null && !Array.isArray(all) ? null : { line: 1, message: 'is not an object of keys and texts', suggestion: 'begin the file with { and end it with }' };
  } catch {
    try {
      scan(content);
    } catch (error) {
      if (error instanceof Found) return { line: content.slice(0, error.at).split('\n').length, message: error.what, suggestion: error.suggestion };
    }
    return { line: 1, message: 'is no JSON', suggestion: 'compare its lines with those of en.json' };
  }
}

function scan(content: string): void {
  const take = (pattern: RegExp, at: number): number => {
    pattern.lastIndex = at;
    return pattern.test(content) ? pattern.lastIndex : -1;
  };
  const skip = (at: number): number => take(SPACE, at);

  /** All from a bracket to the one that closes it; answers where that is over. */
  function inBrackets(from: number, close: string, entry: (at: number) => number): number {
    let at = skip(from + 1);
    if (content[at] === close) return at + 1;
    for (;;) {
      const end = entry(at);
      at = skip(end);
      if (content[at] === close) return at + 1;
      if (at >= content.length) throw new Found(end, 'the file ends too early', `put ${close} at its end`);
      if (content[at] !== ',') {
        throw content.slice(end, at).includes('\n') ? new Found(end - 1, 'a comma is missing at the end of this line', 'put a comma after the text') : new Found(end, 'a quotation mark stands inside the text', QUOTES);
      }
      const comma = at;
      at = skip(at + 1);
      if (content[at] === close || content[at] === ',') throw new Found(comma, 'a comma too many', 'delete the comma at the end of this line');
      if (at >= content.length) throw new Found(comma, 'the file ends too early', `put ${close} at its end`);
    }
  }

  function pair(at: number): number {
    const key = take(STRING, at);
    if (key < 0) throw content[at] === '"' ? new Found(at, 'the key is not closed', 'close the key with "') : new Found(at, 'a quotation mark is missing before the key', LINE);
    const colon = skip(key);
    if (content[colon] !== ':') throw new Found(key - 1, 'a colon is missing after the key', LINE);
    return value(skip(colon + 1));
  }

  function value(at: number): number {
    if (content[at] === '{') return inBrackets(at, '}', pair);
    if (content[at] === '[') return inBrackets(at, ']', value);
    const end = Math.max(take(STRING, at), take(WORD, at));
    if (end >= 0) return end;
    if (content[at] === '"') throw new Found(at, 'the text is not closed, or holds a tab or a wrong \\', QUOTES);
    if (at >= content.length || /[,}\]]/.test(content[at] ?? '')) throw new Found(at - 1, 'the text is missing', LINE);
    throw new Found(at, 'the text does not stand between double quotes', `${LINE} typographic quotes do not do`);
  }

  const start = skip(0);
  if (content[start] !== '{') throw new Found(start, 'does not begin with {', 'put { before the first key');
  const rest = skip(value(start));
  throw new Found(rest, 'something stands after the closing }', 'delete what follows it, or move it before it');
}
