import { DEFAULT_CONFIG } from '../../module/config/configSchema.ts';
import { type ConfigKey, driverKeys, driversOf, type DriverSection, ENTRY_KEYS, topLevelKeys } from '../config/configKeys.ts';
import { exampleText } from '../config/configProblem.ts';
import { valueAt } from '../config/layers.ts';
import { cell, code, table } from './markdown.ts';

interface Row { readonly key: ConfigKey; readonly standard: string }

/** Drivers say their default in words; it has a column of its own here. */
function saidDefault(description: string): { readonly text: string; readonly standard: string } {
  const found = /\s*\(default:? ([^)]*)\)|; default ([^;)]*)(?=[;)])/.exec(description);
  return found === null ? { text: description, standard: '' } : { text: description.replace(found[0], ''), standard: found[1] ?? found[2] ?? '' };
}

const rowOf = ({ key, standard }: Row): string[] => {
  const said = saidDefault(key.description);
  const needed = key.required && !key.expected.startsWith('a mapping') && standard === '' && said.standard === '';
  return [
    code(key.path), `${cell(said.text)}${key.secret ? ' **Secret.**' : ''}`, cell(key.expected),
    standard !== '' ? code(standard) : said.standard !== '' ? cell(said.standard) : needed ? '(needed)' : '',
    key.example === undefined ? '' : code(exampleText(key.example)),
  ];
};

const HEAD = ['Key', 'What', 'Allowed', 'Default', 'Example'];

function topLevel(): string {
  const rows = topLevelKeys().map((key) => {
    const standard = key.path.includes('[]') ? undefined : valueAt(DEFAULT_CONFIG, key.path);
    const isGroup = typeof standard === 'object' && standard !== null && !Array.isArray(standard);
    return rowOf({ key, standard: standard === undefined || isGroup ? '' : exampleText(standard) });
  });
  return table(HEAD, rows);
}

function drivers(section: DriverSection): string {
  return Object.values(driversOf(section)).map(({ name, summary }) => {
    const keys = driverKeys(section, name);
    const rows = keys.map((key) => rowOf({ key, standard: '' }));
    return `### ${section}: ${name}\n\n${summary}\n\n${rows.length === 0 ? 'It has no options.' : table(HEAD, rows)}`;
  }).join('\n\n');
}

/** Every key that a configuration can have: the top level, then each driver's options. */
export const configurationPart = (): string =>
  `## Every key\n\n${topLevel()}\n\n## Every driver's options\n\n${(Object.keys(ENTRY_KEYS) as DriverSection[]).map(drivers).join('\n\n')}`;
