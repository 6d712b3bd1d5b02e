/** A file that is read in pieces; positions and sizes are bytes, also beyond 4 GiB. */
export interface RandomAccess {
  readonly size: number;
  /** At most `length` bytes from `position`; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
}

/** 40 digits, a colon, a count of at most ten digits, CR LF: no line is longer. */
const LINE_MAX = 64;
const LINE = /^([0-9A-Fa-f]{40})(?::(\d{1,10}))?\r?$/;
/** The last step reads so many bytes at once. */
const BLOCK = 4096;
const SAMPLES = 128;

interface Line { readonly hash: string; readonly count: number }

function parse(text: string, position: number): Line {
  const found = LINE.exec(text);
  // The line itself may be anything: its place is enough to find it.
  if (found === null) throw new Error(`byte ${String(position)}: a line HASH:COUNT with 40 hexadecimal digits was expected`);
  return { hash: String(found[1]).toUpperCase(), count: found[2] === undefined ? 1 : Number(found[2]) };
}

/** The whole lines of a piece that begins at the beginning of a line; an unfinished last one counts only where the file ends there. */
function* linesOf(piece: string, from: number, size: number): Generator<Line & { readonly position: number }> {
  let start = 0;
  while (start < piece.length) {
    const end = piece.indexOf('\n', start);
    if (end < 0 && from + piece.length < size) return;
    const text = piece.slice(start, end < 0 ? piece.length : end);
    yield { ...parse(text, from + start), position: from + start };
    if (end < 0) return;
    start = end + 1;
  }
}

/** The first line that begins after `position`; null where there is none. */
async function lineAfter(file: RandomAccess, position: number): Promise<{ readonly start: number; readonly hash: string } | null> {
  const piece = (await file.read(position, 2 * LINE_MAX)).toString('latin1');
  const end = piece.indexOf('\n');
  if (end < 0 && position + piece.length < file.size) throw new Error(`byte ${String(position)}: no line ends within ${String(2 * LINE_MAX)} bytes`);
  const start = position + end + 1;
  if (end < 0 || start >= file.size) return null;
  const rest = piece.slice(end + 1);
  return { start, hash: parse(/^[^\r\n]{0,40}/.exec(rest)?.[0] ?? '', start).hash };
}

/**
 * How often a hash (40 upper-case digits) stands in a file of lines `HASH:COUNT` in ascending order; 0 = it does not. Binary search
 * by offset: 24 reads of 128 bytes and one of 4 KiB in a file of 40 GB. Rejects where a line on the way is none.
 */
export async function countIn(file: RandomAccess, hash: string): Promise<number> {
  // Where the line is there at all, it begins at or after `low` and before `high`; a line begins at `low`.
  let low = 0;
  let high = file.size;
  while (high - low > BLOCK) {
    const found = await lineAfter(file, Math.floor((low + high) / 2));
    if (found === null || hash < found.hash) high = found?.start ?? Math.floor((low + high) / 2) + 1;
    else low = found.start;
  }
  const piece = (await file.read(low, high - low + LINE_MAX)).toString('latin1');
  for (const line of linesOf(piece, low, file.size)) if (line.hash === hash) return line.count;
  return 0;
}

/** From here on a list is taken for a whole one; an operator's own short list may be anything. */
const WHOLE_BYTES = 1_048_576;
/** Bytes of a line, about. */
const LINE_BYTES = 45;
/** So many mean distances between two neighbours are no chance (e to the power of -100). */
const MEANS = 100;
/** SHA-1 spreads evenly: in 23,000 lines or more none is so far from its place by chance. */
const FARTHEST = 0.05;

const placeOf = (hash: string): number => Number.parseInt(hash.slice(0, 12), 16) / 16 ** 12;

/** Rejects where a part of a long list is missing: one that was cut off between two lines is in order all the same. */
function mustBeWhole(size: number, seen: readonly (Line & { readonly position: number })[]): void {
  const [first, last] = [seen[0], seen.at(-1)];
  if (size < WHOLE_BYTES || first === undefined || last === undefined) return;
  const mean = LINE_BYTES / size;
  if (placeOf(first.hash) > MEANS * mean) throw new Error(`it begins with ${first.hash.slice(0, 5)}: what comes before is missing`);
  if (1 - placeOf(last.hash) > MEANS * mean) throw new Error(`it ends with ${last.hash.slice(0, 5)}: it was cut off, what comes after is missing`);
  const odd = seen.find(({ hash, position }) => Math.abs(placeOf(hash) - position / size) > FARTHEST);
  if (odd !== undefined) throw new Error(`byte ${String(odd.position)}: ${odd.hash.slice(0, 5)} cannot stand here in a whole list; a part is missing`);
}

/** Rejects where a file is not what {@link countIn} needs: looks at its beginning, its end and places in between, a block each. */
export async function mustBeSorted(file: RandomAccess): Promise<void> {
  if (file.size === 0) throw new Error('the file is empty');
  let last = '';
  let lastPosition = -1;
  const step = Math.max(BLOCK, Math.floor(file.size / SAMPLES));
  const from: number[] = [];
  const seen: (Line & { readonly position: number })[] = [];
  for (let position = 0; position < file.size; position += step) from.push(position);
  from.push(Math.max(0, file.size - BLOCK));
  for (const position of [...new Set(from)].sort((left, right) => left - right)) {
    const start = position === 0 ? 0 : (await lineAfter(file, position))?.start;
    if (start === undefined) continue;
    const piece = (await file.read(start, BLOCK)).toString('latin1');
    for (const line of linesOf(piece, start, file.size)) {
      if (line.position <= lastPosition) continue;
      if (line.hash <= last) throw new Error(`byte ${String(line.position)}: the hashes are not in ascending order; the download "ordered by hash" is needed`);
      last = line.hash;
      lastPosition = line.position;
      seen.push(line);
    }
  }
  mustBeWhole(file.size, seen);
}
