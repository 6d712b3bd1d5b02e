import type { Clock } from '../ports/clock.ts';

/** The first five digits are all that leaves: about 2,000 breached passwords share them, and countless others. */
export const PREFIX = 5;
const LINE = /^[0-9A-Fa-f]{35}:\d{1,10}$/;

/** A range with its padding has some 100,000 bytes. */
const MOST_BYTES = 1_048_576;
/** From the question while the form is filled in to the button. */
const KEPT_MS = 60_000;
const MOST_KEPT = 32;
/** Whoever asks for a longer pause is asked again after this. */
const LONGEST_PAUSE_MS = 3_600_000;

interface PwnedRangesOptions {
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** One range: how often a hash stands in it that begins with its prefix (40 upper-case digits); padding has the count 0. */
export type PwnedRange = (hash: string) => number;

export interface PwnedRanges {
  /** What was told of these five digits within the last minute; null where nothing was. */
  known(prefix: string): PwnedRange | null;
  /** Rejects where no range comes back in time, and without asking where the last answer asked for a pause. */
  ask(prefix: string, signal: AbortSignal): Promise<PwnedRange>;
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function pauseOf(retryAfter: string | null, now: number): number {
  const seconds = /^\d{1,9}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1000 : Date.parse(retryAfter ?? '') - now;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), LONGEST_PAUSE_MS) : 0;
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`the answer has more than ${String(MOST_BYTES)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('latin1');
}

function rangeOf(text: string): PwnedRange {
  const lines = text.trim().split(/\r?\n/);
  // Every range has entries. An empty or odd answer (a proxy's page, say) is no "not found".
  if (!lines.every((line) => LINE.test(line))) throw new Error('the answer is not a range');
  const whole = `\n${lines.join('\n').toUpperCase()}\n`;
  return (hash) => {
    const at = whole.indexOf(`\n${hash.slice(PREFIX)}:`);
    return at < 0 ? 0 : Number.parseInt(whole.slice(whole.indexOf(':', at) + 1), 10);
  };
}

/** The range API of Have I Been Pwned (https://haveibeenpwned.com/API/v3#PwnedPasswords), asked with padding. What is kept is public: ranges by their prefix. */
export function createPwnedRanges({ baseUrl, timeoutMs, clock }: PwnedRangesOptions): PwnedRanges {
  const kept = new Map<string, { readonly range: PwnedRange; readonly until: number }>();
  let pausedUntil = 0;

  return {
    known(prefix) {
      const found = kept.get(prefix);
      return found !== undefined && clock.now() < found.until ? found.range : null;
    },
    async ask(prefix, signal) {
      if (clock.now() < pausedUntil) throw new Error('not asked: it asked for a pause (Retry-After)');
      const response = await fetch(`${baseUrl}/range/${prefix}?mode=sha1`, {
        headers: { 'Add-Padding': 'true', 'User-Agent': 'mailbox-password' }, redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      if (response.status !== 200) {
        pausedUntil = clock.now() + pauseOf(response.headers.get('retry-after'), clock.now());
        await response.body?.cancel();
        throw new Error(`it answered ${String(response.status)}`);
      }
      const range = rangeOf(await bodyOf(response));
      kept.delete(prefix);
      kept.set(prefix, { range, until: clock.now() + KEPT_MS });
      for (const oldest of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(oldest);
      return range;
    },
  };
}
