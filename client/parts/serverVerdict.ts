import type { RuleVerdict } from '../../module/policy/rules/rule.ts';

/** The server's last answer: which codes it gave to exactly this password. In memory alone, and only while the form is open. */
export interface ServerJudged {
  readonly password: string;
  readonly violated: readonly string[];
}

/** What it refused is violated; of what it did not name nothing is known, since it may have been unable to ask. */
export const serverVerdict = (judged: ServerJudged | null) => (password: string, code: string): RuleVerdict | undefined =>
  (judged !== null && judged.password === password && judged.violated.includes(code) ? 'violated' : undefined);
