import { join } from 'node:path';
import { type ErrorCode, ERRORS } from '../../module/errors.ts';
import { ERROR_HELP } from '../cli/errorHelp.ts';
import { packageRoot, readJson } from '../paths.ts';
import { cell, code, table } from './markdown.ts';

const CHANGED = { no: 'nothing was changed', unknown: 'perhaps: try the new password first' } as const;

/** Every error code with cause and cure, then what can be wrong with a field. */
export function errorsPart(): string {
  const texts = readJson(join(packageRoot(), 'locales', 'en.json')) as Readonly<Record<string, string>>;
  const errors = (Object.keys(ERRORS) as ErrorCode[]).map((name) => {
    const { status, retryable, changed } = ERRORS[name];
    const { cause, cure } = ERROR_HELP[name];
    return [`### ${name}`, '', `HTTP ${String(status)}${retryable ? ', may be tried again as it is' : ''}; ${CHANGED[changed]}.`, '', `People read: "${texts[`error.${name}`] ?? ''}"`, '', `- **Cause.** ${cause}`, `- **Cure.** ${cure}`].join('\n');
  });
  const violations = Object.keys(texts).filter((key) => /^violation\.[A-Z_]+$/.test(key)).map((key) => [code(key.slice('violation.'.length)), cell(texts[key] ?? '')]);
  return `${errors.join('\n\n')}\n\n## What can be wrong with a field\n\nThese stand in \`fields\` of an answer, each with the field's name.\n\n${table(['Code', 'People read'], violations)}`;
}
