import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { parse } from 'yaml';
import { ConfigError } from '../config/configProblem.ts';
import { inspectConfig } from '../config/loadConfig.ts';
import { isTree, type Tree } from '../config/layers.ts';
import { hashAdministratorPassword } from '../panels/administrators.ts';
import { command, jsonOption, type JsonOption } from './command.ts';
import { CommandError } from './exitCodes.ts';
import { checkAdministratorPassword } from './hashPasswordCommand.ts';
import { askDriver, askList, askText, bySchema, chooseDriver, chooseDrivers } from './init/askDriver.ts';
import { commentedYaml } from './init/commentedYaml.ts';
import { makeBeside, moveSecrets, refuseExisting, writePrivately } from './init/secretFiles.ts';
import { print, printJson, readSecret, say } from './terminal.ts';

interface Options extends JsonOption {
  readonly output: string; readonly answers?: string; readonly publicUrl?: string; readonly dataDir?: string;
  readonly administrator?: string; readonly domain?: readonly string[]; readonly passwordStdin?: boolean; readonly force?: boolean;
}

/** What stands in an answers file: any part of a configuration. */
function readAnswers(file: string): Tree {
  let read: unknown;
  try {
    read = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandError('USAGE', `${file}: ${(error as NodeJS.ErrnoException).code ?? 'is not YAML'}. Nothing was written.`);
  }
  if (!isTree(read)) throw new CommandError('USAGE', `${file}: a mapping of keys was expected, any part of a configuration. Nothing was written.`);
  return read;
}

async function askEverything(options: Options): Promise<Tree> {
  const publicUrl = options.publicUrl ?? await askText('The https address that people see (empty = trying things out)', '', (text) => text === '' || isAddress(text));
  const proxies = publicUrl === '' ? [] : await askList('Addresses of the web server in front of this service, with commas', '127.0.0.1', (trustProxy) => bySchema({ server: { trustProxy } }));
  const dataDir = options.dataDir ?? await askText('Folder for the module\'s own database', process.getuid?.() === 0 ? '/var/lib/mailbox-password' : './data');
  const hostDriver = await chooseDriver('host', 'Which webmail says who is calling? (none: User Panel and Admin Panel alone)');
  const host = await askDriver('host', hostDriver, {});
  const accountDriver = await chooseDriver('accounts', 'Where do mailbox passwords live?');
  const domains = await askList('Domains of these mailboxes, with commas (* = all)', '*', (list) => bySchema({ accounts: [{ driver: 'embedded', domains: list }] }));
  const accounts = [await askDriver('accounts', accountDriver, { domains })];
  const sessions: Tree[] = [];
  for (const driver of await chooseDrivers('sessions', 'Where are people logged in?')) sessions.push(await askDriver('sessions', driver, { name: driver === 'dovecot' ? 'mail' : driver === hostDriver ? 'web' : driver.toLowerCase() }));
  const imap = await askText('IMAP server with TLS (port 993), as people enter it in a mail program: shown to them, and doctor logs in there (none = leave out)', hostOf(publicUrl) || NONE, (text) => /^[a-z0-9.-]+$|^[\da-f:]+$/i.test(text) || 'the name of the server alone, without port');
  return {
    ...(publicUrl !== '' && { server: { publicUrl, ...(proxies.length > 0 && { trustProxy: proxies }) } }), dataDir, host, accounts, sessions,
    ...(imap !== NONE && imap !== '' && { mailSettings: { imap: { host: imap, port: 993, encryption: 'tls' } } }),
  };
}

const NONE = 'none';
const isAddress = (publicUrl: string): true | string => (/^https?:\/\//i.test(publicUrl) ? bySchema({ server: { publicUrl } }) : 'it begins with https://; for example https://mail.example.com');
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '');

async function administrators(options: Options, interactive: boolean): Promise<Tree> {
  const name = options.administrator ?? (interactive ? await askText('Name of the first administrator (empty = no Admin Panel)', 'admin', (text) => text === '' || bySchema({ administrators: [{ name: text, passwordHash: '$argon2id$v=19$', domains: ['*'] }] })) : '');
  if (name === '') return {};
  const password = await readSecret({ question: `Password of ${name}`, fromStdin: options.passwordStdin === true, twice: true, judge: checkAdministratorPassword });
  return { administrators: [{ name, passwordHash: await hashAdministratorPassword(password), domains: options.domain ?? ['*'] }] };
}

const inServer = (tree: Tree, server: Tree): Tree => ({ ...tree, server: { ...(isTree(tree['server']) ? tree['server'] : {}), ...server } });

/** `mailbox-password init`: a first configuration, by questions or from answers. */
export function initCommand(): Command {
  return command('init', 'write a first configuration: a few questions, or --answers', [
    'init', 'init -o /etc/mailbox-password/config.yaml', 'init --answers answers.yaml --administrator admin --password-stdin < /run/admin-password',
  ])
    .addOption(new Option('-o, --output <file>', 'the configuration to write, mode 0600; secrets go to files in secrets/ beside it').env('MAILBOX_PASSWORD_CONFIG').default('config.yaml'))
    .option('--answers <file>', 'ask nothing: YAML with any part of a configuration; secrets in it are moved to files')
    .option('--public-url <url>', 'the https address that people see')
    .option('--data-dir <folder>', 'folder for the module\'s own database')
    .option('--administrator <name>', 'first administrator; the password is asked for')
    .addOption(new Option('--domain <domain...>', 'domains that this administrator may reach; all where left out'))
    .option('--password-stdin', 'read the administrator\'s password from the standard input')
    .option('--force', 'write over what is there')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      const output = resolve(options.output);
      refuseExisting([output], options.force === true);
      const interactive = options.answers === undefined;
      if (interactive && !process.stdin.isTTY) throw new CommandError('USAGE', 'There is no terminal to ask questions: give --answers. Nothing was written.');
      let tree = options.answers === undefined ? await askEverything(options) : readAnswers(options.answers);
      if (options.publicUrl !== undefined) tree = inServer(tree, { publicUrl: options.publicUrl });
      if (options.dataDir !== undefined) tree = { ...tree, dataDir: options.dataDir };
      tree = { ...tree, ...await administrators(options, interactive) };
      const { problems } = inspectConfig({ overrides: tree, environment: process.env });
      if (problems.length > 0) throw new ConfigError(problems);

      const { tree: written, files } = moveSecrets(tree, join(dirname(output), 'secrets'));
      refuseExisting(files.map(({ path }) => path), options.force === true);
      if (files.length > 0) makeBeside(join(dirname(output), 'secrets'));
      for (const { path, value } of files) writePrivately(path, `${value}\n`);
      writePrivately(output, commentedYaml(written, 'Configuration of Mailbox Password. What is commented out holds as it stands there (an example is no default). `mailbox-password config check` judges this file, `config show` says what holds, `doctor` tries it.'));
      if (options.json === true) printJson({ config: output, secrets: files.map(({ path }) => path) });
      else print([output, ...files.map(({ path }) => path)].map((path) => `written  ${path}`).join('\n'));
      say(`\nNext: mailbox-password doctor -c ${output}`);
    });
}
