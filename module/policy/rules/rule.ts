import type { ErrorParams } from '../../errors.ts';
import type { PolicyContext } from '../passwordPolicy.ts';

/** What some rules need and is too heavy for a first page load; a rule whose resource is not there yet is `pending`. */
export interface PolicyResources {
  readonly isCommon?: (password: string) => boolean;
  /** zxcvbn score 0 to 4; undefined while it is being worked out. */
  readonly strength?: (password: string) => number | undefined;
  /** What the server said of exactly this password; undefined = nothing yet. */
  readonly serverVerdict?: (password: string, code: string) => RuleOutcome | undefined;
}

/**
 * What the server says of a rule of its own. `unknown`: it could not be told, and the password is accepted all the same. `unavailable`: it
 * could not be told, and the password is refused for that.
 */
export type RuleOutcome = 'met' | 'violated' | 'unknown' | 'unavailable';

export type RuleVerdict = 'met' | 'violated' | 'pending';

/** One requirement: the live checklist, the yup schema, the server and the generator all ask this one object (I5). */
export interface PolicyRule {
  /** The violation code; its text is `violation.<code>` in `locales/`. */
  readonly code: string;
  readonly params: ErrorParams;
  /** False for rules that only matter when broken (control characters): the checklist leaves them out until then. */
  readonly listed: boolean;
  /** True where only the server can tell, and only when the password is sent. */
  readonly onSave?: boolean;
  check(password: string, context: PolicyContext, resources: PolicyResources): RuleVerdict;
}

export const verdict = (met: boolean): RuleVerdict => (met ? 'met' : 'violated');
