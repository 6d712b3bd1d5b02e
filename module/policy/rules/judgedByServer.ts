import type { ServerRule } from '../passwordPolicy.ts';
import type { PolicyRule } from './rule.ts';

/** Listed with the others, and undecided until the server has judged; what it could not tell stays so. */
export const judgedByServer = ({ code, params }: ServerRule): PolicyRule => ({
  code,
  params,
  listed: true,
  onSave: true,
  check(password, _context, { serverVerdict }) {
    const outcome = serverVerdict?.(password, code);
    return outcome === 'met' || outcome === 'violated' ? outcome : 'pending';
  },
});
