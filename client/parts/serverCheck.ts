import type { FieldProblem } from '../../module/errors.ts';
import type { CheckPasswordResponse } from '../../module/operations.ts';
import type { ServerRule } from '../../module/policy/passwordPolicy.ts';
import { ApiError } from '../api/apiError.ts';
import type { ServerJudged } from './serverVerdict.ts';

/** Who leaves a field by the button sends the password for good: that goes first. */
const PAUSE_MS = 400;
/** A check that takes longer does not hold up the change. */
const PATIENCE_MS = 3000;

interface Question<Request> {
  readonly request: Request;
  readonly rules: readonly ServerRule[];
  readonly ask: (request: Request) => Promise<CheckPasswordResponse>;
  /** Whether the same would still be asked when the answer is there. */
  readonly still: () => boolean;
  readonly onAnswer: (outcomes: ServerJudged['outcomes'], refused: readonly FieldProblem[]) => void;
  /** Whatever else goes wrong is said when the password is sent; only this one helps to know before. */
  readonly onCurrentWrong: (error: ApiError) => void;
}

export type ServerCheck<Request> = ReturnType<typeof createServerCheck<Request>>;

/**
 * Asks the server what its own rules say of a new password, once for each that somebody has finished typing: not at every key, since that
 * would tell it every attempt. Loaded only where there are such rules.
 */
export function createServerCheck<Request>() {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = '';
  let underWay: Promise<void> = Promise.resolve();

  async function ask(question: Question<Request>): Promise<void> {
    const { request, still, rules } = question;
    try {
      const answer = await question.ask(request);
      // What could not be told now may be told the next time.
      if (answer.rules.some(({ outcome }) => outcome === 'unknown' || outcome === 'unavailable')) asked = '';
      if (!still()) return;
      const outcomes = Object.fromEntries(answer.rules.map(({ code, outcome }) => [code, outcome]));
      question.onAnswer(outcomes, rules.filter(({ code }) => outcomes[code] === 'violated').map((rule) => ({ field: 'newPassword', ...rule })));
    } catch (error) {
      if (error instanceof ApiError && error.code === 'CURRENT_PASSWORD_WRONG' && still()) question.onCurrentWrong(error);
    }
  }

  return {
    /** Soon, unless the same was asked already. */
    check(question: Question<Request>): void {
      clearTimeout(timer);
      const key = JSON.stringify(question.request);
      if (key === asked) return;
      timer = setTimeout(() => {
        asked = key;
        underWay = ask(question);
      }, PAUSE_MS);
    },
    /** No more of it: resolves when nothing is under way any more, so that it cannot meet the change that follows. */
    async settle(): Promise<void> {
      clearTimeout(timer);
      await Promise.race([underWay, new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS); })]);
    },
    /** What was asked is no longer kept. */
    forget(): void {
      clearTimeout(timer);
      asked = '';
    },
  };
}
