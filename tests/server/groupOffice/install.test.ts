import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { runInNewContext } from 'node:vm';
import { join } from 'node:path';
import { type GroupOfficeCommandOptions, groupOfficeCommands, installGroupOffice, type Terminal, uninstallGroupOffice } from '../../../server/cli/installGroupOffice.ts';
import { matchLanguage } from '../../../module/texts/matchLanguage.ts';
import { doctorGroupOffice, type Finding } from '../../../server/groupOffice/doctor.ts';
import { dropInFiles, groupOfficeIso, phpString } from '../../../server/groupOffice/dropInFiles.ts';
import { localeTags } from '../../../server/texts/localeFile.ts';
import { DROP_IN } from '../../fixtures/groupOfficeDouble/dropIn.ts';
import { GroupOfficeDouble } from '../../fixtures/groupOfficeDouble/groupOfficeDouble.ts';

/** The files of Group-Office's own go/core/language. */
const HOST_LANGUAGES = ('ar bg bn_bd ca cn cs da de el en en_au en_gb en_ph es et fi fr he hr hu id it ja ko lt mn nb nl pl pt_br pt_pt ro ru sl sv th tr zh_tw').split(' ');

const SETTINGS = { basePath: '/mailbox-password', localUsers: 'below' } as const;

let double: GroupOfficeDouble;
let folder: string;
let said: string;
let options: GroupOfficeCommandOptions;
const terminal: Terminal = { write: (text) => { said += text; }, password: () => Promise.resolve('Adminpass-1') };
const moduleFolder = () => join(folder, 'www/go/modules', DROP_IN);

/** What a service behind the same origin answers. */
function serve(): void {
  double.behind = (request, response) => {
    if (request.url === '/mailbox-password/api/v1/context') response.writeHead(401).end('{"code":"AUTHENTICATION_REQUIRED"}');
    else if (request.url === '/mailbox-password/assets/loader.js') response.writeHead(200).end('');
    else return Promise.resolve(false);
    return Promise.resolve(true);
  };
}

beforeEach(async () => {
  double = await GroupOfficeDouble.start();
  double.state.addUser({ username: 'admin', email: 'admin@example.test', password: 'Adminpass-1', isAdmin: true });
  double.state.folders.add('community/apikeys');
  serve();
  folder = mkdtempSync(join(tmpdir(), 'install-'));
  mkdirSync(join(folder, 'www/api'), { recursive: true });
  mkdirSync(join(folder, 'www/go/modules'), { recursive: true });
  writeFileSync(join(folder, 'www/api/jmap.php'), '');
  writeFileSync(join(folder, 'www/index.php'), '');
  said = '';
  options = { ...SETTINGS, path: join(folder, 'www'), url: double.url, serviceUrl: 'http://127.0.0.1:8080', keyFile: join(folder, 'keys/service.key'), adminUser: 'admin' };
  // The double's PHP sees the folder as soon as it is there.
  double.faultFor = () => {
    if (existsSync(join(moduleFolder(), 'Module.php'))) double.state.folders.add(DROP_IN);
    else double.state.folders.delete(DROP_IN);
    return true;
  };
});
afterEach(async () => {
  await double.stop();
  rmSync(folder, { recursive: true });
});

const problems = (findings: readonly Finding[]) => findings.filter(({ level }) => level !== 'ok').map(({ check }) => check);
const rows = () => [...double.state.tokens.values()].filter(({ expiresAt }) => expiresAt !== null);

describe('install group-office', () => {
  it('puts everything in place, and every check is fine', async () => {
    const findings = await installGroupOffice(options, terminal);
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(findings.map(({ check }) => check).sort()).toEqual(['apcu', 'cache', 'csp', 'folder', 'key', 'permission', 'proxy', 'reachable', 'sameOrigin']);
    expect(readdirSync(moduleFolder()).sort()).toEqual(['Module.php', 'controller', 'icon.png', 'installed.json', 'language', 'views']);
    expect(statSync(options.keyFile).mode & 0o777).toBe(0o600);
    const key = readFileSync(options.keyFile, 'utf8').trim();
    expect(said).not.toContain(key);
    expect(said).not.toContain('Adminpass-1');
    expect(said).toContain('location ^~ /mailbox-password/');
    expect(said).toContain('ProxyPass "http://127.0.0.1:8080/mailbox-password/"');
    // The administrator's own session does not stay behind.
    expect(rows()).toEqual([]);
    const service = double.state.userByName('mailbox-password')!;
    expect(service).toMatchObject({ isAdmin: false, mayChangeUsers: false });
    const module = double.state.modules.get(DROP_IN)!;
    expect([module.readers, [...module.managers]]).toEqual([null, [service.id]]);
  });

  it('with --json one object says what was done and found, and what is to be configured; so does uninstall', async () => {
    const json = { ...options, json: true };
    await installGroupOffice(json, terminal);
    const installed = JSON.parse(said) as { steps: string[]; proxy: Record<string, string>; configuration: string; findings: Finding[] };
    expect(installed.steps).toEqual(expect.arrayContaining(['the module is installed', 'the service user is created', expect.stringContaining('files written')]));
    expect(installed.proxy['nginx']).toContain('location ^~ /mailbox-password/');
    expect(installed.proxy['apache']).toContain('ProxyPass');
    expect(installed.configuration).toContain('host: { driver: groupOffice');
    expect(installed.findings.map(({ check, level }) => [check, level])).toContainEqual(['key', 'ok']);
    expect(said).not.toContain(readFileSync(options.keyFile, 'utf8').trim());
    said = '';
    await uninstallGroupOffice(json, terminal);
    expect((JSON.parse(said) as { steps: string[] }).steps).toEqual(expect.arrayContaining(['the module is uninstalled', 'the service user is deleted']));
  });

  it('is harmless the second time: same key, nothing written, no administrator asked', async () => {
    await installGroupOffice(options, terminal);
    const key = readFileSync(options.keyFile, 'utf8');
    const written = statSync(join(moduleFolder(), 'Module.php')).mtimeMs;
    const tokens = double.state.tokens.size;
    said = '';
    const findings = await installGroupOffice(options, { ...terminal, password: () => Promise.reject(new Error('asked')) });
    expect(problems(findings)).toEqual([]);
    expect(said).toContain('is up to date');
    expect(readFileSync(options.keyFile, 'utf8')).toBe(key);
    expect(statSync(join(moduleFolder(), 'Module.php')).mtimeMs).toBe(written);
    expect([double.state.tokens.size, double.state.apiKeys.size, double.state.users.size]).toEqual([tokens, 1, 2]);
  });

  it('mends what is broken: an edited file, a stray file, a key that was deleted', async () => {
    await installGroupOffice(options, terminal);
    writeFileSync(join(moduleFolder(), 'Module.php'), '<?php // edited');
    writeFileSync(join(moduleFolder(), 'views/goui/dist/old.js'), 'left by an earlier version');
    double.state.deleteTokens(({ expiresAt }) => expiresAt === null);
    const findings = await installGroupOffice(options, terminal);
    expect(problems(findings)).toEqual([]);
    expect(readFileSync(join(moduleFolder(), 'Module.php'), 'utf8')).toContain('beforeInstall');
    expect(existsSync(join(moduleFolder(), 'views/goui/dist/old.js'))).toBe(false);
    expect(double.state.apiKeys.size).toBe(1);
  });

  it('gives the Internal group its right back where the permission row was lost, and keeps what an administrator gave', async () => {
    await installGroupOffice(options, terminal);
    rmSync(options.keyFile);
    double.state.modules.get(DROP_IN)!.managers.clear();
    await installGroupOffice(options, terminal);
    expect(double.state.modules.get(DROP_IN)!.readers).toBeNull();
    expect(double.state.modules.get(DROP_IN)!.managers.size).toBe(1);
  });

  it('refuses a folder that is no Group-Office before it writes anything', async () => {
    await expect(installGroupOffice({ ...options, path: folder }, terminal)).rejects.toThrow("not Group-Office's folder");
    expect(readdirSync(folder)).toEqual(['www']);
    expect(double.seen).toEqual([]);
  });

  it('says what to do when the password is wrong, there is a second factor, the module is not allowed', async () => {
    await expect(installGroupOffice(options, { ...terminal, password: () => Promise.resolve('wrong') })).rejects.toThrow('refuses the password');
    double.state.moduleAllowed = false;
    await expect(installGroupOffice(options, terminal)).rejects.toThrow('allowed_modules');
    double.state.userByName('admin')!.otp = true;
    await expect(installGroupOffice(options, terminal)).rejects.toThrow('second factor');
    expect(rows().filter(({ accessToken }) => accessToken !== null)).toEqual([]);
  });

  it('uninstalls all of it, and twice is harmless', async () => {
    await installGroupOffice(options, terminal);
    for (let twice = 0; twice < 2; twice++) {
      await uninstallGroupOffice(options, terminal);
      expect(existsSync(join(folder, 'www/go/modules/mailboxpassword'))).toBe(false);
      expect(existsSync(options.keyFile)).toBe(false);
      expect(double.state.modules.has(DROP_IN)).toBe(false);
      expect(double.state.userByName('mailbox-password')).toBeUndefined();
      expect([...double.state.tokens.values()]).toEqual([]);
    }
  });

  it.each([['a file', ['--admin-password-file', 'pw']], ['the environment', []]])('takes the administrator\'s password from %s, never from the command line', async (_where, args) => {
    writeFileSync(join(folder, 'pw'), 'Adminpass-1\n', { mode: 0o600 });
    if (args.length === 0) process.env['MAILBOX_PASSWORD_GROUP_OFFICE_ADMIN_PASSWORD'] = 'Adminpass-1';
    const before = process.exitCode;
    const write = jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
    try {
      const { install } = groupOfficeCommands();
      await install.parseAsync(['--path', options.path, '--url', options.url, '--key-file', options.keyFile, ...args.map((arg) => (arg === 'pw' ? join(folder, 'pw') : arg))], { from: 'user' });
      expect(existsSync(options.keyFile)).toBe(true);
      expect(install.options.filter(({ long }) => /password$|secret|key$/.test(long ?? ''))).toEqual([]);
    } finally {
      write.mockRestore();
      process.exitCode = before;
      delete process.env['MAILBOX_PASSWORD_GROUP_OFFICE_ADMIN_PASSWORD'];
    }
  });

  it('is a command that exits with 1 while there is a problem', async () => {
    double.behind = null;
    const before = process.exitCode;
    process.env['MAILBOX_PASSWORD_GROUP_OFFICE_ADMIN_PASSWORD'] = 'Adminpass-1';
    try {
      await groupOfficeCommands(terminal).install.parseAsync(['--path', options.path, '--url', options.url, '--key-file', options.keyFile], { from: 'user' });
      expect(process.exitCode).toBe(1);
      expect(said).toContain('PROBLEM The service does not answer');
    } finally {
      process.exitCode = before;
      delete process.env['MAILBOX_PASSWORD_GROUP_OFFICE_ADMIN_PASSWORD'];
    }
  });
});

describe('doctor names each trap', () => {
  const look = async (more: object = {}) =>
    doctorGroupOffice({ ...options, publicUrl: double.url, serviceKey: existsSync(options.keyFile) ? readFileSync(options.keyFile, 'utf8').trim() : null, ...more });
  const found = async (more: object = {}) => problems(await look(more));

  beforeEach(async () => {
    await installGroupOffice(options, terminal);
    expect(await found()).toEqual([]);
  });

  it('the folder gone after an upgrade', async () => {
    rmSync(moduleFolder(), { recursive: true });
    expect(await found()).toContain('folder');
  });
  it('the folder of another version', async () => {
    writeFileSync(join(moduleFolder(), 'installed.json'), '{}');
    expect(await found()).toEqual(['folder']);
  });
  it('the module not allowed', async () => {
    const configFile = join(folder, 'config.php');
    writeFileSync(configFile, "<?php\n// $config['allowed_modules'] = 'nothing/*';\n$config['allowed_modules'] = ['community/*', 'legacy/email'];\n");
    expect(await found({ configFile })).toEqual(['allowed']);
    writeFileSync(configFile, "<?php\n$config['allowed_modules'] = ['community/*', 'mailboxpassword/*'];\n");
    expect(await found({ configFile })).toEqual([]);
  });
  it('the module not known to Group-Office', async () => {
    double.state.modules.clear();
    expect(await found()).toContain('reachable');
  });
  it('no service key, a dead one, one without the right', async () => {
    expect(await found({ serviceKey: null })).toEqual(['key']);
    double.state.modules.get(DROP_IN)!.managers.clear();
    expect(await found()).toContain('key');
    double.state.deleteTokens(() => true);
    expect(await found()).toEqual(['key']);
  });
  it('no permission row', async () => {
    double.state.modules.get(DROP_IN)!.readers = new Set();
    expect(await found()).toEqual(['permission']);
  });
  it('the cache not cleared', async () => {
    double.state.startPageModules.clear();
    expect(await found()).toEqual(['cache']);
  });
  it.each([["script-src 'none'"], ["default-src 'none'"], ["connect-src https://elsewhere.test"]])('a CSP of %s', async (policy) => {
    double.state.contentSecurityPolicy = policy;
    expect(await found()).toEqual(['csp']);
  });
  it('the service not on the same origin', async () => {
    double.behind = null;
    expect(await found()).toEqual(['sameOrigin']);
  });
  it("the proxy's X-Forwarded-Proto missing", async () => {
    // As if browsers came over the other protocol than Group-Office believes.
    double.state.protocol = 'https';
    expect(await found()).toEqual(['proxy']);
    expect((await look()).find(({ check }) => check === 'proxy')?.text).toContain('X-Forwarded-Proto');
  });
  it('no cache at all, or one per PHP pool', async () => {
    let turn = 0;
    double.state.cacheId = () => `cache-${String(turn++ % 3)}`;
    expect((await look()).find(({ check }) => check === 'apcu')?.text).toContain('3 caches');
  });
  it('several caches', async () => {
    let turn = 0;
    double.state.cacheId = () => `cache-${turn++ % 2}`;
    expect(await found()).toEqual(['apcu']);
  });
  it('Group-Office not there at all', async () => {
    await double.stop();
    expect(await found()).toEqual(expect.arrayContaining(['reachable', 'sameOrigin', 'cache']));
    double = await GroupOfficeDouble.start();
  });
});

describe('the built folder', () => {
  it('has the loader of at most 3 kB with its settings, and no chunk', () => {
    const files = dropInFiles({ basePath: '/pw', localUsers: 'instead' });
    const loader = files.get('views/goui/dist/Index.js')!;
    expect(loader.length).toBeLessThanOrEqual(3 * 1024);
    expect(loader.toString()).toContain('const settings = {"basePath":"/pw","localUsers":"instead"};');
    expect([...files.keys()].filter((name) => name.endsWith('.js'))).toEqual(['views/extjs3/MailboxPassword.js', 'views/goui/dist/Index.js']);
    expect(files.get('views/extjs3/scripts.txt')!.toString().trim().split('\n')).toEqual(['MailboxPassword.js']);
  });

  it('has a language file for every locale, which PHP reads back', () => {
    const files = dropInFiles(SETTINGS);
    const locales = readdirSync('locales').filter((file) => file.endsWith('.json'));
    const english = JSON.parse(readFileSync('locales/en.json', 'utf8')) as Record<string, string>;
    for (const locale of locales) {
      const file = files.get(`language/${groupOfficeIso(locale.replace('.json', ''))}.php`);
      expect({ locale, there: file !== undefined }).toEqual({ locale, there: true });
      const code = `echo json_encode((function () { ${file!.toString().replace('<?php', '')} })());`;
      const read = JSON.parse(execFileSync('php', ['-r', code], { encoding: 'utf8' })) as Record<string, string>;
      const texts = JSON.parse(readFileSync(`locales/${locale}`, 'utf8')) as Record<string, string>;
      // A region holds only what differs.
      for (const key of ['section.loadFailed', 'section.consequence']) expect(read[key]).toBe(texts[key] ?? english[key]);
      expect(read['Password']).toBe(texts['section.title'] ?? english['section.title']);
      expect(Object.keys(read)).toEqual(['name', 'description', 'Password', 'section.loadFailed', 'section.consequence']);
      for (const text of Object.values(read)) expect(text).not.toBe('');
    }
  });

  it.each([["l'été"], ['back\\slash\\'], ['$x {$y} "z"'], ['\n<?php ?>']])('writes %j as a PHP string', (text) => {
    expect(JSON.parse(execFileSync('php', ['-r', `echo json_encode(${phpString(text)});`], { encoding: 'utf8' }))).toBe(text);
  });

  it.each([['en', 'en'], ['pt-BR', 'pt_br'], ['pt', 'pt_pt'], ['zh-TW', 'zh_tw'], ['zh', 'cn'], ['en-GB', 'en_gb'], ['bn', 'bn_bd'], ['nb', 'nb'], ['zh-CN', 'cn'], ['pt-PT', 'pt_pt']])('calls %s %s', (tag, iso) => {
    expect(groupOfficeIso(tag)).toBe(iso);
  });

  it.each(HOST_LANGUAGES)('serves a user whose Group-Office speaks %s: with a file there, and with texts of that language', (iso) => {
    const files = dropInFiles(SETTINGS);
    expect([...files.keys()]).toContain(`language/${iso}.php`);
    // What the script tells the service, as it is written in the drop-in.
    const script = files.get('views/goui/dist/Index.js')!.toString();
    const tagOf = runInNewContext(`${/^const TAGS = .*$/m.exec(script)![0]}\n${/^const tag = .*$/m.exec(script)![0]}\ntag;`) as (code: string) => string;
    const found = matchLanguage(tagOf(iso), localeTags('locales'));
    expect({ iso, back: groupOfficeIso(found ?? '') }).toEqual({ iso, back: iso });
  });
});
