import type { Finding } from '../../ports/diagnosis.ts';
import { exitWith } from '../exitCodes.ts';
import { print, printJson } from '../terminal.ts';

/** What was looked at, with what was found there. */
export interface Section {
  /** `accounts[0] sql`, `state`, ... */
  readonly target: string;
  readonly findings: readonly Finding[];
}

const WORDS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

const line = ({ level, check, text, todo }: Finding): string => `  ${WORDS[level]}  ${check.padEnd(12)} ${text}${todo === undefined ? '' : `\n${' '.repeat(21)}-> ${todo}`}`;

const countOf = (sections: readonly Section[], level: Finding['level']): number => sections.flatMap(({ findings }) => findings).filter((finding) => finding.level === level).length;

export const hasFailed = (sections: readonly Section[]): boolean => countOf(sections, 'fail') > 0;

const counted = (count: number, noun: string): string => `${String(count)} ${noun}${count === 1 ? '' : 's'}`;

/** A line each, and the exit code: not good where anything failed, with `strict` also where there is a warning. */
export function report(sections: readonly Section[], { json = false, strict = false }: { json?: boolean | undefined; strict?: boolean | undefined }): void {
  const [good, warnings, failures] = [countOf(sections, 'ok'), countOf(sections, 'warn'), countOf(sections, 'fail')];
  if (json) printJson({ ok: good, warnings, failures, sections });
  else print(`${sections.map(({ target, findings }) => `${target}\n${findings.map(line).join('\n')}`).join('\n')}\n\n${String(good)} ok, ${counted(warnings, 'warning')}, ${counted(failures, 'failure')}`);
  if (failures > 0 || (strict && warnings > 0)) exitWith('NOT_GOOD');
}
