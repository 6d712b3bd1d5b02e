import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { type Command, Option } from 'commander';
import { doctorGroupOffice, type Finding } from '../groupOffice/doctor.ts';
import { compareDropIn, dropInFiles, type DropInSettings } from '../groupOffice/dropInFiles.ts';
import { DROP_IN, GroupOfficeClient, GroupOfficeError } from '../groupOffice/groupOfficeClient.ts';
import { GroupOfficeSite, tryKey } from '../groupOffice/groupOfficeSite.ts';
import { proxyLines } from '../groupOffice/proxyLines.ts';
import { command, jsonOption, type JsonOption } from './command.ts';
import { CommandError, exitWith } from './exitCodes.ts';
import { readSecret } from './terminal.ts';

const ADMIN_PASSWORD = 'MAILBOX_PASSWORD_GROUP_OFFICE_ADMIN_PASSWORD';

export interface GroupOfficeCommandOptions extends DropInSettings, JsonOption {
  readonly path: string;
  readonly url: string;
  readonly publicUrl?: string | undefined;
  readonly serviceUrl: string;
  readonly keyFile: string;
  readonly adminUser: string;
  readonly adminPasswordFile?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
}

export interface Terminal {
  write(text: string): void;
  /** Asked only where the environment does not say it. */
  password(question: string, from: GroupOfficeCommandOptions): Promise<string>;
}

/** Something that the operator has to set right; its message says what. */
class InstallError extends Error {
  override readonly name = 'InstallError';
}

/** What was done, a line each: said as it happens, or all at the end where JSON is wanted. */
function createSteps({ json }: JsonOption, terminal: Terminal) {
  const done: string[] = [];
  return {
    done,
    step: (text: string): void => {
      done.push(text);
      if (json !== true) terminal.write(`  ${text}\n`);
    },
  };
}

const writeJson = (terminal: Terminal, value: object): void => { terminal.write(`${JSON.stringify(value, null, 2)}\n`); };

/** `mailbox-password install group-office`. Every step looks before it does, so that running it twice is harmless. */
export async function installGroupOffice(options: GroupOfficeCommandOptions, terminal: Terminal): Promise<readonly Finding[]> {
  const folder = moduleFolder(options.path);
  const { step, done } = createSteps(options, terminal);
  const files = dropInFiles(options);
  const { changed } = compareDropIn(folder, files);
  writeFolder(folder, files, options.path);
  step(changed.length === 0 ? `${folder} is up to date` : `${folder}: ${String(changed.length)} of ${String(files.size)} files written`);

  const client = new GroupOfficeClient(options);
  try {
    const key = await goodKey(client, options.keyFile);
    if (key) step(`${options.keyFile}: the service key is good`);
    if (!key || changed.length > 0) await asAdministrator(client, options, terminal, (site) => setUp(site, options, key, step));
  } finally {
    client.close();
  }

  const { nginx, apache } = proxyLines(options.basePath, options.serviceUrl);
  const basePath = options.basePath === '/mailbox-password' ? '' : `basePath: ${options.basePath}, `;
  const configuration = `server: { ${basePath}publicUrl: "${new URL(options.publicUrl ?? options.url).origin}", trustProxy: ["127.0.0.1"] }\n`
    + `host: { driver: groupOffice, url: "${options.url}" }\nsessions:\n  - { driver: groupOffice, name: web, url: "${options.url}", serviceKey: { file: ${options.keyFile} } }\n`;
  if (options.json !== true) terminal.write(`\nThe service must be a path of the same host. One of:\n\n${nginx}\n${apache}\nConfiguration of the service:\n\n${configuration}\n`);
  return report(options, terminal, { steps: done, proxy: { nginx, apache }, configuration });
}

/** `mailbox-password uninstall group-office`: takes back what install did. */
export async function uninstallGroupOffice(options: GroupOfficeCommandOptions, terminal: Terminal): Promise<void> {
  const folder = moduleFolder(options.path);
  const { step, done } = createSteps(options, terminal);
  const client = new GroupOfficeClient(options);
  try {
    await asAdministrator(client, options, terminal, async (site) => {
      if ((await site.module()) !== null) {
        await site.uninstall();
        step('the module is uninstalled');
      }
      const apikeys = await site.module('community', 'apikeys');
      const keys = apikeys === null ? 0 : await site.removeKeys();
      if (keys > 0) step(`${String(keys)} service key(s) deleted`);
      if (await site.removeServiceUser()) step('the service user is deleted');
      rmSync(folder, { recursive: true, force: true });
      const parent = dirname(folder);
      if (existsSync(parent) && readdirSync(parent).length === 0) rmSync(parent, { recursive: true });
      rmSync(options.keyFile, { force: true });
      step(`${folder} and ${options.keyFile} are removed`);
      await site.clearCache();
    });
  } finally {
    client.close();
  }
  if (options.json === true) writeJson(terminal, { steps: done });
}

async function setUp(site: GroupOfficeSite, options: GroupOfficeCommandOptions, keyIsGood: boolean, step: (text: string) => void): Promise<void> {
  if ((await site.module()) === null) {
    await site.install().catch((error: unknown) => { throw notInstalled(error); });
    step('the module is installed');
  } else step('the module was installed already');
  if (!keyIsGood) {
    if ((await site.module('community', 'apikeys')) === null) {
      await site.install('community', 'apikeys');
      step("Group-Office's module for API keys is installed");
    }
    const user = await site.serviceUser(randomBytes(24).toString('base64url'), new URL(options.publicUrl ?? options.url).hostname.replace(/^[\d.:[\]]+$/, 'localhost.localdomain'));
    step(user.made ? 'the service user is created' : 'the service user was there already');
    if (await site.permissions(user.groupId)) step('the Internal group may read, the service user may manage');
    await site.removeKeys();
    writePrivate(options.keyFile, await site.makeKey(user.id));
    step(`${options.keyFile}: a new service key, which only the service may read`);
  }
  step((await site.clearCache()) ? "Group-Office's cache is cleared" : "Group-Office's cache could NOT be cleared over HTTP: run `php cli.php core/System/clearCache` in its folder");
}

function notInstalled(error: unknown): Error {
  if (!(error instanceof GroupOfficeError)) return new InstallError('Group-Office did not install the module');
  if (error.type === 'notFound') return new InstallError('Group-Office does not see the folder: is --path the folder that this web server serves, and readable for its PHP?');
  if (error.type === 'forbidden') return new InstallError(`Group-Office forbids the module: does allowed_modules in its config.php list ${DROP_IN}?`);
  return new InstallError(`Group-Office did not install the module: ${error.message}`);
}

async function asAdministrator(client: GroupOfficeClient, options: GroupOfficeCommandOptions, terminal: Terminal, work: (site: GroupOfficeSite) => Promise<void>): Promise<void> {
  const { adminUser } = options;
  const password = process.env[ADMIN_PASSWORD] ?? (await terminal.password(`Password of Group-Office's administrator "${adminUser}"`, options));
  const call = () => ({ signal: AbortSignal.timeout(30_000) });
  const login = await client.login(adminUser, password, call());
  if (login.outcome === 'second') throw new InstallError(`"${adminUser}" has a second factor: use another administrator for the installation`);
  if (login.accessToken === undefined) throw new InstallError(`Group-Office refuses the password of "${adminUser}"`);
  const { accessToken } = login;
  try {
    await work(new GroupOfficeSite(client, accessToken));
  } finally {
    await client.drop(accessToken, call()).catch(() => undefined);
  }
}

async function goodKey(client: GroupOfficeClient, file: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  const info = await tryKey(client, readFileSync(file, 'utf8').trim());
  return info?.mayManage === true;
}

/** Refuses a folder that is no Group-Office, before anything is written. */
function moduleFolder(path: string): string {
  const root = resolve(path);
  for (const file of ['api/jmap.php', 'go/modules', 'index.php']) {
    if (existsSync(join(root, file))) continue;
    const below = existsSync(join(root, 'www', file)) ? `; did you mean ${join(root, 'www')}?` : '';
    throw new InstallError(`${root} is not Group-Office's folder: ${file} is missing (it is the folder that the web server serves${below})`);
  }
  return join(root, 'go', 'modules', ...DROP_IN.split('/'));
}

/** Each file appears whole, with the owner of `go/modules`; what an earlier version left is removed. */
function writeFolder(folder: string, files: ReadonlyMap<string, Buffer>, path: string): void {
  const { uid, gid } = statSync(join(path, 'go', 'modules'));
  const own = (name: string, mode: number): void => {
    chmodSync(name, mode);
    if (process.getuid?.() === 0) chownSync(name, uid, gid);
  };
  const makeFolder = (name: string): void => {
    if (existsSync(name)) return;
    makeFolder(dirname(name));
    mkdirSync(name);
    own(name, 0o755);
  };
  for (const [name, content] of files) {
    const target = join(folder, name);
    if (existsSync(target) && readFileSync(target).equals(content)) continue;
    makeFolder(dirname(target));
    const temporary = `${target}.${randomBytes(4).toString('hex')}.new`;
    writeFileSync(temporary, content);
    own(temporary, 0o644);
    renameSync(temporary, target);
  }
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const target = join(folder, name);
    if (existsSync(target) && statSync(target).isFile() && !files.has(name.split(sep).join('/'))) rmSync(target);
  }
}

function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  const temporary = `${file}.${randomBytes(4).toString('hex')}.new`;
  writeFileSync(temporary, `${text}\n`, { mode: 0o600 });
  // The service runs as a user of its own, whose group the folder of its secrets belongs to.
  const { gid } = statSync(dirname(resolve(file)));
  if (process.getuid?.() === 0 && gid !== 0) {
    chownSync(temporary, 0, gid);
    chmodSync(temporary, 0o640);
  }
  renameSync(temporary, file);
}

async function report(options: GroupOfficeCommandOptions, terminal: Terminal, before: object = {}): Promise<readonly Finding[]> {
  const findings = await doctorGroupOffice({
    ...options,
    publicUrl: options.publicUrl ?? options.url,
    serviceKey: existsSync(options.keyFile) ? readFileSync(options.keyFile, 'utf8').trim() : null,
  });
  if (options.json === true) writeJson(terminal, { ...before, findings });
  else for (const { level, text } of findings) terminal.write(`  ${{ ok: 'ok     ', warning: 'WARNING', problem: 'PROBLEM' }[level]} ${text}\n`);
  return findings;
}

/** A prompt, the standard input, a file or the environment; never the command line, which everybody on the machine can read. */
const stdio: Terminal = {
  write: (text) => void process.stdout.write(text),
  password: (question, { adminPasswordFile, passwordStdin }) => adminPasswordFile === undefined
    ? readSecret({ question, fromStdin: passwordStdin === true })
    : Promise.resolve(readFileSync(adminPasswordFile, 'utf8').replace(/\r?\n$/, '')),
};

function withOptions(made: Command): Command {
  return made
    .requiredOption('--path <folder>', "Group-Office's folder, as its web server serves it")
    .requiredOption('--url <url>', 'where Group-Office answers, as the service asks it')
    .option('--public-url <url>', 'where browsers find it, if that is another address')
    .option('--base-path <path>', 'path of the service on that host', '/mailbox-password')
    .option('--service-url <url>', 'where the service listens, for the proxy lines', 'http://127.0.0.1:8080')
    .option('--key-file <file>', 'where the service key is kept', '/etc/mailbox-password/groupoffice.key')
    .option('--admin-user <name>', 'an administrator of Group-Office; the password is asked for', 'admin')
    .option('--admin-password-file <file>', `read that password from a file (or from the environment: ${ADMIN_PASSWORD})`)
    .option('--password-stdin', 'read it from the standard input')
    .addOption(jsonOption())
    .addOption(new Option('--local-users <where>', 'users with a password of Group-Office itself see the section').choices(['below', 'instead', 'never']).default('below'));
}

async function run(work: () => Promise<readonly Finding[] | undefined>): Promise<void> {
  try {
    const findings = await work();
    if (findings?.some(({ level }) => level === 'problem') === true) exitWith('NOT_GOOD');
  } catch (error) {
    if (!(error instanceof InstallError) && !(error instanceof GroupOfficeError)) throw error;
    throw new CommandError('NOT_GOOD', error.message);
  }
}

/** `group-office`, to stand below `install`, `uninstall` and `doctor`. */
export const groupOfficeCommands = (terminal: Terminal = stdio) => ({
  install: withOptions(command('group-office', 'put the drop-in into a Group-Office, and check it', ['install group-office --path /usr/share/groupoffice --url https://mail.example.com']))
    .action((options: GroupOfficeCommandOptions) => run(() => installGroupOffice(options, terminal))),
  uninstall: withOptions(command('group-office', 'take the drop-in out of a Group-Office', ['uninstall group-office --path /usr/share/groupoffice --url https://mail.example.com']))
    .action((options: GroupOfficeCommandOptions) => run(async () => { await uninstallGroupOffice(options, terminal); return undefined; })),
  doctor: withOptions(command('group-office', 'check a Group-Office with the drop-in', ['doctor group-office --path /usr/share/groupoffice --url https://mail.example.com']))
    .action((options: GroupOfficeCommandOptions) => run(() => report(options, terminal))),
});
