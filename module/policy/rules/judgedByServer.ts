import type { ServerRule } from '../passwordPolicy.ts';
import type { PolicyRule } from './rule.ts';

/** Listed with the others, and undecided until the server has judged: asking it at every key would tell it every attempt. */
export const judgedByServer = ({ code, params }: ServerRule): PolicyRule => ({
  code,
  params,
  listed: true,
  onSave: true,
  check: (password, _context, { serverVerdict }) => serverVerdict?.(password, code) ?? 'pending',
});
