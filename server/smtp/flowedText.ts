/** Columns of a line, the blank at its end included (RFC 3676, section 4.2, advises 66 to 72 and no more than 78). */
const COLUMNS = 72;

/** What has blanks around it and is no wider is kept whole where it may be an address: in a script without blanks its parts look like words. */
const ADDRESS_COLUMNS = 40;

/** Scripts whose sentences have no blanks between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u3000-\u303f\uff00-\uffef]/u;
/** Never first on a line: what closes, ends or belongs to the letter before it. */
const NOT_FIRST = /^[\p{Pe}\p{Pf}\p{M}\p{Lm}\u3001\u3002\u30fb\uff01\uff0c\uff0e\uff1a\uff1b\uff1f!,.:;?%ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ\u2069]/u;
/** Never last on a line: what opens. */
const NOT_LAST = /[\p{Ps}\p{Pi}\u2068]$/u;
/** Holds an address or a number together, whatever script stands beside it. */
const GLUE = /[!-/:-@[-`{-~]/;
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
const WITHOUT_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** How wide a terminal shows it. */
const columns = (text: string): number => [...text].reduce((sum, character) => sum + (WITHOUT_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1), 0);

export interface FlowedText {
  /** Lines of at most 72 columns, but for a word, address or link that is longer. */
  readonly text: string;
  /** For `Content-Type`. */
  readonly parameters: 'format=flowed' | 'format=flowed; delsp=yes';
}

function mayPart(before: string, after: string): boolean {
  const [last, next] = [[...before].at(-1) ?? '', [...after][0] ?? ''];
  if (NOT_FIRST.test(next) || NOT_LAST.test(last) || GLUE.test(last) || GLUE.test(next) || next === ' ') return false;
  return UNSPACED.test(last) || UNSPACED.test(next);
}

/** Behind blanks, but not within a telephone number. */
const BLANKS = /(?<= )(?! )(?<!\d (?=\d))/;

/** What may not be parted, each with the blanks behind it. */
function piecesOf(line: string, words: Intl.Segmenter): string[] {
  return line.split(BLANKS).flatMap((spaced) => {
    if (spaced.includes('@') && columns(spaced) <= ADDRESS_COLUMNS) return [spaced];
    const pieces: string[] = [];
    for (const { segment } of words.segment(spaced)) {
      const before = pieces.at(-1);
      if (before === undefined || mayPart(before, segment)) pieces.push(segment);
      else pieces[pieces.length - 1] = before + segment;
    }
    return pieces;
  });
}

function linesOf(line: string, words: Intl.Segmenter): string[] {
  if (columns(line) <= COLUMNS) return [line];
  const lines: string[] = [];
  for (const piece of piecesOf(line, words)) {
    const before = lines.at(-1);
    // One column is left for the blank that a break without one needs.
    if (before !== undefined && columns(before) + columns(piece) < COLUMNS) lines[lines.length - 1] = before + piece;
    else lines.push(piece);
  }
  return lines;
}

/** A line that begins with what means something else in a mail gets a blank in front, which readers take away. */
const stuffed = (line: string): string => (/^( |>|From )/.test(line) ? ` ${line}` : line);

/**
 * Plain text for `text/plain; format=flowed` (RFC 3676): readers that know it fill their own window, all others see short lines.
 * Where a sentence without blanks was parted, `delsp=yes` says that the blank at the end of a line is no part of the text.
 */
export function flowedText(text: string, language: string): FlowedText {
  const words = new Intl.Segmenter(language, { granularity: 'word' });
  // A blank at the end of a line that is really one would join it to the next.
  const paragraphs = text.split(/\r?\n/).map((line) => linesOf(line.replace(/ +$/, ''), words));
  const unspaced = paragraphs.some((lines) => lines.slice(0, -1).some((line) => !line.endsWith(' ')));
  return {
    text: paragraphs.map((lines) => lines.map((line, at) => stuffed(line) + (unspaced && at < lines.length - 1 ? ' ' : '')).join('\n')).join('\n'),
    parameters: unspaced ? 'format=flowed; delsp=yes' : 'format=flowed',
  };
}
