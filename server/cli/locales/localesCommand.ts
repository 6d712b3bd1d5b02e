import { writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { regionOf } from '../../../module/texts/matchLanguage.ts';
import { command, wholeNumber } from '../command.ts';
import { CommandError, exitWith } from '../exitCodes.ts';
import { localePath, localeTags } from '../../texts/localeFile.ts';
import { PSEUDO_LANGUAGES } from '../../texts/pseudoLanguage.ts';
import { addLocale } from './addLocale.ts';
import { checkLocale } from './checkLocale.ts';
import { checkGlossary, checkNotes, fixedLayout } from './checkSources.ts';
import type { Finding } from './finding.ts';
import { LocaleProblem } from './localeProblem.ts';
import { localeSources, shippedFolder } from './localeSources.ts';
import { localeStats, statsTable } from './localeStats.ts';
import { startPreview } from './preview/previewServer.ts';
import { takeShots } from './preview/takeShots.ts';
import { sortedLines } from './sortedJson.ts';

interface FolderOption { readonly dir?: string }
interface CheckFlags extends FolderOption { readonly json?: boolean; readonly partial?: boolean; readonly fix?: boolean }

const folderOf = ({ dir }: FolderOption): string => (dir === undefined ? shippedFolder() : resolve(dir));
const say = (text: string): void => { process.stdout.write(text); };

function inWords(finding: Finding): string {
  const { file, line, key, rule, severity, message, suggestion } = finding;
  return `${relative(process.cwd(), file)}:${String(line)}: ${severity} [${rule}] ${key === null ? '' : `${key}: `}${message}\n    -> ${suggestion}\n`;
}

/** What somebody types who thinks of a language and not of a file: `pt-br`, `zh_tw`, `german`. */
function noFile(tag: string, there: readonly string[], folder: string): LocaleProblem {
  const like = there.find((each) => each.toLowerCase() === tag.toLowerCase().replaceAll('_', '-'));
  return new LocaleProblem(`no file for ${tag} in ${folder}; ${like === undefined ? `begin one with: locales add ${tag}, or see what there is with: locales stats` : `it is written ${like}`}`);
}

/** Of the shipped languages, the pseudo languages and, where one is named, a folder of one's own. */
function existing(tag: string, flags: FolderOption): string {
  const there = [...PSEUDO_LANGUAGES, ...localeTags(shippedFolder()), ...localeTags(folderOf(flags))];
  if (!there.includes(tag)) throw noFile(tag, there, folderOf(flags));
  return tag;
}

function check(tags: readonly string[], flags: CheckFlags): void {
  const folder = folderOf(flags);
  const there = localeTags(folder);
  const unknown = tags.filter((tag) => !there.includes(tag));
  for (const tag of unknown) throw noFile(tag, there, folder);
  const wanted = tags.length === 0 ? there : tags;
  if (flags.fix === true) {
    const { home, notes } = localeSources();
    for (const tag of wanted) {
      const fixed = fixedLayout(folder, tag);
      if (fixed !== null) writeFileSync(localePath(folder, tag), fixed);
    }
    if (folder === home) writeFileSync(join(home, 'notes', 'en.json'), sortedLines(notes));
  }
  const sources = localeSources();
  const partial = flags.partial === true;
  const findings = [
    ...(folder === sources.home && tags.length === 0 ? checkNotes(sources) : []),
    ...wanted.flatMap((tag) => [...checkLocale(tag, sources, { folder, partial }), ...(folder === sources.home ? checkGlossary(tag, sources) : [])]),
  ];
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (flags.json === true) say(`${JSON.stringify(findings, null, 2)}\n`);
  else say(`${findings.map(inWords).join('')}${String(wanted.length)} languages, ${String(errors)} errors, ${String(findings.length - errors)} warnings\n`);
  if (errors > 0) exitWith('NOT_GOOD');
}

async function told(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LocaleProblem) && (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new CommandError('NOT_GOOD', (error as Error).message);
  }
}

/** `mailbox-password locales ...`: what translators, reviewers and operators with texts of their own work with. */
export function localesCommand(): Command {
  const locales = command('locales', 'the texts in all languages: check them, begin one, see how far they are');
  const below = (made: Command): Command => {
    locales.addCommand(made);
    return made;
  };
  const withFolder = (made: Command): Command => below(made).option('-d, --dir <folder>', 'a folder of your own (locales.dir) instead of the shipped one');
  withFolder(command('check', 'what is wrong with language files, with line and suggestion; exit code 1 where anything is', ['locales check', 'locales check sk --partial', 'locales check --dir /etc/mailbox-password/locales --json']).argument('[tags...]', 'languages, all of them without'))
    .option('--json', 'print JSON')
    .option('--partial', 'what is not translated yet is a warning: people read the fallback')
    .option('--fix', 'sort and lay out the files first')
    .action((tags: string[], flags: CheckFlags) => told(() => { check(tags, flags); }));
  withFolder(command('add', 'begin a language: a file with the English texts as hints', ['locales add sk', 'locales add de-CH --dir /etc/mailbox-password/locales']).argument('<tag>', 'BCP 47: sk, pt-BR'))
    .action(async (tag: string, flags: FolderOption) => {
      await told(() => {
        const written = addLocale(tag, localeSources(), folderOf(flags));
        const wider = regionOf(tag, localeTags(shippedFolder()));
        say(`${written.map((path) => `wrote ${relative(process.cwd(), path)}`).join('\n')}\n${wider === null ? '' : `Write into it only what is different from ${wider}.json, key by key.\n`}`);
        if (wider === null) say(`Replace each text that begins with "@todo". Nothing else is needed: the language is offered with its first text.\n`);
      });
    });
  withFolder(command('stats', 'how far each language is', ['locales stats', 'locales stats --json']))
    .option('--json', 'print JSON')
    .action((flags: CheckFlags) => told(() => {
      const rows = localeStats(localeSources(), folderOf(flags));
      say(flags.json === true ? `${JSON.stringify(rows, null, 2)}\n` : statsTable(rows));
    }));
  withFolder(command('preview', 'every surface in every state on one page; reloads when you save', ['locales preview de', 'locales preview ar-XB --port 8091']).argument('<tag>', 'a language, or en-XA, ar-XB'))
    .option('-p, --port <number>', 'port to listen on', wholeNumber, 8090)
    .action(async (tag: string, flags: FolderOption & { readonly port: number }) => {
      await told(async () => {
        existing(tag, flags);
        const { url } = await startPreview({ port: flags.port, folder: flags.dir === undefined ? null : folderOf(flags) });
        say(`\n  ${url}/${tag}/\n\n  Save a file and the page reloads. Ctrl+C ends it.\n`);
      });
    });
  withFolder(command('shots', 'a picture of every surface in every state, wide and narrow', ['locales shots de -o /tmp/shots']).argument('<tag>', 'a language, or en-XA, ar-XB'))
    .option('-o, --out <folder>', 'where to put them', 'shots')
    .action(async (tag: string, flags: FolderOption & { readonly out: string }) => {
      await told(async () => {
        const paths = await takeShots(existing(tag, flags), resolve(flags.out, tag), flags.dir === undefined ? null : folderOf(flags));
        say(`${String(paths.length)} pictures in ${resolve(flags.out, tag)}\n`);
      });
    });
  return locales;
}
