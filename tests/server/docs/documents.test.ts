import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ERRORS } from '../../../module/errors.ts';
import { driverKeys, driversOf, type DriverSection, ENTRY_KEYS, topLevelKeys } from '../../../server/config/configKeys.ts';
import { examplesOf } from '../../../server/cli/command.ts';
import { ERROR_HELP } from '../../../server/cli/errorHelp.ts';
import { EXIT_CODES } from '../../../server/cli/exitCodes.ts';
import { buildProgram } from '../../../server/cli/program.ts';
import { annotatedDriverPart } from '../../../server/docs/annotatedDriverPart.ts';
import { commandLinePart, commandsOf } from '../../../server/docs/commandLinePart.ts';
import { configurationPart } from '../../../server/docs/configurationPart.ts';
import { errorsPart } from '../../../server/docs/errorsPart.ts';
import { inspectConfig } from '../../../server/config/loadConfig.ts';
import { withPart } from '../../../server/docs/markdown.ts';

const SECRETS: Readonly<Record<string, string>> = { 'redis url': 'redis://127.0.0.1', url: 'mysql://u:p@127.0.0.1/mail', secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`, previousSecret: `whsec_${Buffer.alloc(32, 8).toString('base64')}` };
const root = join(__dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(join(root, 'docs', file), 'utf8');
/** First cells of the tables of a document, without their backticks. */
const firstCells = (text: string): string[] => [...text.matchAll(/^\| `+ ?(.*?) ?`+ \|/gm)].map((found) => String(found[1]));

test.each([['configuration.md', 'keys', configurationPart], ['errors.md', 'codes', errorsPart], ['cli.md', 'commands', commandLinePart], ['writing-a-driver.md', 'driver', annotatedDriverPart]] as const)('docs/%s is what `npm run docs` writes', (file, name, part) => {
  expect(read(file)).toBe(withPart(read(file), name, part()));
});

test('every key of the configuration stands in the document, and every key of the document is one', () => {
  const document = read('configuration.md');
  const generated = document.slice(document.indexOf('<!-- generated: keys'));
  const drivers = (Object.keys(ENTRY_KEYS) as DriverSection[]).flatMap((section) => Object.keys(driversOf(section)).map((name) => ({ section, name })));
  const keys = [...topLevelKeys(), ...drivers.flatMap(({ section, name }) => driverKeys(section, name))].map(({ path }) => path);
  expect(firstCells(generated).sort()).toEqual([...keys].sort());
  expect([...generated.matchAll(/^### (\w+): (\w+)$/gm)].map((found) => `${String(found[1])} ${String(found[2])}`).sort()).toEqual(drivers.map(({ section, name }) => `${section} ${name}`).sort());
});

test('every error code stands in the document with cause and cure, and every code of the document is one', () => {
  const document = read('errors.md');
  expect([...document.matchAll(/^### ([A-Z_]+)$/gm)].map((found) => found[1]).sort()).toEqual(Object.keys(ERRORS).sort());
  for (const [code, { cause, cure }] of Object.entries(ERROR_HELP)) expect([code, cause.length > 15, cure.length > 15]).toEqual([code, true, true]);
});

test('every exit code stands in the document, and every exit code of the document is one', () => {
  const document = read('cli.md');
  const listed = [...document.slice(document.indexOf('## Exit codes')).matchAll(/^\| (\d+) \| (.*) \|$/gm)].map((found) => [Number(found[1]), String(found[2])]);
  expect(listed).toEqual(Object.values(EXIT_CODES).map(({ code, meaning }) => [code, meaning]));
  expect(new Set(Object.values(EXIT_CODES).map(({ code }) => code)).size).toBe(Object.keys(EXIT_CODES).length);
});

test('every command and option says what it is for; every command has examples, and they are of that command with options that it knows', () => {
  const all = commandsOf();
  expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(['serve', 'init', 'hash-password', 'config check', 'config show', 'doctor', 'doctor group-office', 'set', 'logout', 'sessions', 'outbox list', 'outbox retry', 'audit list', 'audit export', 'migrate status', 'migrate up', 'install group-office', 'uninstall group-office']));
  for (const { name, command } of all) {
    expect([name, command.description()]).toEqual([name, expect.stringMatching(/.{10}/)]);
    for (const option of command.options) expect([name, option.flags, option.description]).toEqual([name, option.flags, expect.stringMatching(/.{5}/)]);
    if (name.startsWith('locales')) continue;
    const examples = examplesOf(command);
    expect([name, examples.length]).toEqual([name, expect.any(Number)]);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(example.startsWith(name)).toBe(true);
      const own = example.replace(/[|<].*$/, '');
      for (const [flag] of own.matchAll(/(?<=\s)--[a-z-]+/g)) expect([example, flag, command.options.some(({ long }) => long === flag)]).toEqual([example, flag, true]);
    }
  }
});

test('what prints data prints JSON too; no option takes a secret', () => {
  for (const { name, command } of commandsOf()) {
    const flags = command.options.map(({ long }) => long);
    if (/^(config|doctor|set|logout|sessions|outbox|audit list|migrate|hash-password|init)( (?!group)|$)/.test(name)) expect([name, flags]).toEqual([name, expect.arrayContaining(['--json'])]);
    expect([name, command.options.filter(({ long, required, optional }) => /password(?!-file$)|secret|key$/.test(long ?? '') && (required || optional)).map(({ long }) => long)]).toEqual([name, []]);
  }
  expect(buildProgram().commands.length).toBeGreaterThan(10);
});

test('every configuration in the documents is a good one: answers of first-change.md, blocks of configuration.md and of the drivers', () => {
  const files = ['first-change.md', 'configuration.md', 'group-office.md', ...readdirSync(join(root, 'docs', 'drivers')).map((name) => join('drivers', name))];
  let judged = 0;
  for (const file of files) {
    for (const [, block = ''] of read(file).matchAll(/```yaml\n([\s\S]*?)```/g)) {
      const tree = parse(block) as Record<string, unknown>;
      // A part of an entry (columns, statements) is no configuration.
      if (!Object.keys(tree).some((key) => ['server', 'accounts', 'sessions', 'host', 'dataDir'].includes(key))) continue;
      judged += 1;
      // Files of secrets are not there: what can be judged without them is.
      const problems = inspectConfig({ overrides: filled(tree) as Record<string, unknown> }).problems;
      expect([file, block.slice(0, 60), problems]).toEqual([file, block.slice(0, 60), []]);
    }
  }
  expect(judged).toBeGreaterThan(12);
});

/** In place of a file that holds a secret: something of its form. */
function filled(value: unknown, key = '', driver = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => filled(item, key, driver));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && (entries[0]?.[0] === 'file' || entries[0]?.[0] === 'env')) return SECRETS[`${driver} ${key}`] ?? SECRETS[key] ?? 'a-secret-of-some-length';
  const own = (value as { driver?: string }).driver ?? driver;
  return Object.fromEntries(entries.map(([name, inner]) => [name, filled(inner, name, own)]));
}

/** The names by which a page's headings are linked, as GitHub makes them: the second of a name has -1. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  return new Set([...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) => {
    const name = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase().replaceAll(/[^\p{L}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-');
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return before === 0 ? name : `${name}-${String(before)}`;
  }));
}

test('every link of the documents leads to a file that is there, and to a heading that it has', () => {
  const files = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'locales/README.md', ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))];
  const links = files.flatMap((file) => [...readFileSync(join(root, file), 'utf8').replaceAll(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, target = '', anchor]) => ({ file, target, anchor }))).filter(({ target }) => !/^[a-z]+:/.test(target));
  const dead = links.filter(({ file, target, anchor }) => {
    const path = target === '' ? join(root, file) : join(root, dirname(file), target);
    return !existsSync(path) || (anchor !== undefined && !anchorsOf(readFileSync(path, 'utf8')).has(anchor));
  });
  expect(dead).toEqual([]);
  expect(links.filter(({ anchor }) => anchor !== undefined).length).toBeGreaterThan(10);
});

test('every command of the documents is a command, with options that it has', () => {
  const commands = commandsOf();
  const files = ['README.md', ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md') && name !== 'cli.md').map((name) => join('docs', name))];
  const said = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const [fenced, inline] = [[...text.matchAll(/^ *```\w*\n([\s\S]*?)^ *```$/gm)].flatMap(([, lines = '']) => lines.split('\n')), [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)];
    return [...fenced, ...inline].map((line) => /^(?:sudo )?mailbox-password ([a-z].*)$/.exec(line.trim())?.[1]).filter((line) => line !== undefined).map((line) => ({ file, line: line.replace(/\s+#.*$|[|<].*$/, '') }));
  });
  const wrong = said.filter(({ line }) => {
    const found = commands.filter(({ name }) => line === name || line.startsWith(`${name} `)).sort((left, right) => right.name.length - left.name.length)[0];
    if (found === undefined) return !commands.some(({ name }) => name.startsWith(`${line.split(' ')[0] ?? ''} `));
    return [...line.matchAll(/(?<=\s)(--[a-z-]+|-[a-z])(?=[\s=]|$)/g)].some(([, flag]) => !found.command.options.some(({ long, short }) => long === flag || short === flag));
  });
  expect(wrong).toEqual([]);
  expect(said.length).toBeGreaterThan(30);
});
