import type { RuleOutcome } from '../../module/policy/rules/rule.ts';

/** What the server said of exactly this password, by code. In memory alone, and only while the form is open. */
export interface ServerJudged {
  readonly password: string;
  readonly outcomes: Readonly<Record<string, RuleOutcome>>;
}

/** Of a password that the server was not asked about, and of what it did not name, nothing is known. */
export const serverVerdict = (judged: ServerJudged | null) => (password: string, code: string): RuleOutcome | undefined =>
  (judged !== null && judged.password === password ? judged.outcomes[code] : undefined);

/** What a later answer adds; for another password it stands alone. */
export const withOutcomes = (before: ServerJudged | null, { password, outcomes }: ServerJudged): ServerJudged =>
  ({ password, outcomes: { ...(before?.password === password && before.outcomes), ...outcomes } });
