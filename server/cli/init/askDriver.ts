import { checkbox, input, password, select } from '@inquirer/prompts';
import { parse } from 'yaml';
import { type ConfigKey, driverKeys, driversOf, type DriverSection } from '../../config/configKeys.ts';
import { exampleText } from '../../config/configProblem.ts';
import { inspectConfig } from '../../config/loadConfig.ts';
import type { Tree } from '../../config/layers.ts';
import { problemText } from '../failure.ts';
import { say } from '../terminal.ts';

const toStderr = { output: process.stderr };

const choices = (section: DriverSection) => Object.values(driversOf(section)).map(({ name, summary }) => ({ value: name, name: `${name}: ${summary}` }));

export const chooseDriver = (section: DriverSection, message: string): Promise<string> => select({ message, choices: choices(section) }, toStderr);

export const chooseDrivers = (section: DriverSection, message: string): Promise<string[]> => checkbox({ message, choices: choices(section), required: true }, toStderr);

/** True, or why not: a bad answer is asked again at once, and costs nobody the answers before it. */
export type Judge<T> = (answer: T) => true | string;

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim()).filter((part) => part !== '');

/** A comma separates. */
export async function askList(message: string, standard: string, judge: Judge<string[]>): Promise<string[]> {
  return listOf(await input({ message, default: standard, validate: (text) => judge(listOf(text)) }, toStderr));
}

export const askText = (message: string, standard: string, judge: Judge<string> = () => true): Promise<string> => input({ message, default: standard, validate: (text) => judge(text.trim()) }, toStderr).then((text) => text.trim());

/** By the schema of the configuration, in which everything else is as by default. */
export function bySchema(overrides: Tree): true | string {
  const [problem] = inspectConfig({ overrides }).problems;
  if (problem === undefined) return true;
  return [problem.message, ...(problem.example === undefined ? [] : [`for example ${problem.example}`])].join('; ');
}

function isYaml(text: string): true | string {
  try {
    parse(text);
    return true;
  } catch {
    return 'this cannot be read: put it in double quotes';
  }
}

async function askKey({ path, description, example, secret }: ConfigKey): Promise<unknown> {
  const message = `${path} (${description})`;
  if (secret) return password({ message, mask: '*' }, toStderr);
  const typed = await input({ message: example === undefined ? message : `${message}, for example ${exampleText(example)}`, required: true, validate: isYaml }, toStderr);
  return parse(typed) as unknown;
}

/** The options that a driver cannot do without; of a list of things, one. */
async function askRequired(section: DriverSection, driver: string, given: Tree): Promise<Tree> {
  const keys = driverKeys(section, driver);
  const options: Tree = { ...given };
  for (const key of keys.filter(({ path, required }) => required && !/[.[]/.test(path) && given[path] === undefined)) {
    const below = keys.filter(({ path, required }) => required && path.startsWith(`${key.path}[].`));
    const inside = keys.filter(({ path, required }) => required && path.startsWith(`${key.path}.`));
    const ask = async (of: readonly ConfigKey[], prefix: string): Promise<Tree> => {
      const made: Tree = {};
      for (const one of of) made[one.path.slice(prefix.length)] = await askKey(one);
      return made;
    };
    if (below.length > 0) options[key.path] = [await ask(below, `${key.path}[].`)];
    else if (inside.length > 0) options[key.path] = await ask(inside, `${key.path}.`);
    else options[key.path] = await askKey(key);
  }
  return options;
}

/** A schema or an API that is described already saves the rest of the questions. */
async function askPreset(section: DriverSection, driver: string): Promise<Tree> {
  const preset = driverKeys(section, driver).find(({ path, choices }) => path === 'preset' && choices.length > 0);
  if (preset === undefined) return {};
  const chosen = await select({ message: `preset (${preset.description})`, choices: [...preset.choices.map((value) => ({ value, name: value })), { value: '', name: 'none of these: I describe it' }] }, toStderr);
  return chosen === '' ? {} : { preset: chosen };
}

/** Asks until the driver's own schema is content. */
export async function askDriver(section: DriverSection, driver: string, ours: Tree): Promise<Tree> {
  say(`\n${driver}: ${driversOf(section)[driver]?.summary ?? ''}`);
  let options = await askRequired(section, driver, await askPreset(section, driver));
  const hasMore = driverKeys(section, driver).length > 0;
  for (;;) {
    const entry = { driver, ...ours, ...options };
    const { problems } = inspectConfig({ overrides: section === 'host' ? { host: entry } : { [section]: [entry] } });
    const own = problems.filter(({ path }) => path.startsWith(section));
    if (own.length === 0 && !hasMore) return entry;
    if (own.length > 0) say(own.map(problemText).join('\n'));
    const typed = await input({ message: own.length > 0 ? `What is missing, as key: value (docs/drivers/${section === 'host' ? 'hosts' : section}-${driver}.md)` : `More of ${driver}, as key: value (empty = done)` }, toStderr);
    if (typed === '' && own.length === 0) return entry;
    try {
      const more = parse(typed) as unknown;
      if (typeof more === 'object' && more !== null) options = { ...options, ...(more as Tree) };
    } catch {
      say('This is not `key: value`.');
    }
  }
}
