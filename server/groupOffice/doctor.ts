import { existsSync, readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { compareDropIn, dropInFiles, type DropInSettings } from './dropInFiles.ts';
import type { InfoAnswer } from './dropInAnswers.ts';
import { type Credentials, DROP_IN, GroupOfficeClient, GroupOfficeError } from './groupOfficeClient.ts';

export interface Finding {
  readonly check: 'folder' | 'allowed' | 'reachable' | 'key' | 'permission' | 'cache' | 'csp' | 'sameOrigin' | 'proxy' | 'apcu';
  readonly level: 'ok' | 'warning' | 'problem';
  readonly text: string;
}

export interface DoctorOptions extends DropInSettings {
  /** Group-Office as the service asks it. */
  readonly url: string;
  readonly host?: string | null;
  /** As browsers see it. */
  readonly publicUrl: string;
  /** Group-Office's `www` folder, where it is on this machine. */
  readonly path: string | null;
  /** Null where there is none. */
  readonly serviceKey: string | null;
  /** Group-Office's `config.php`, where it can be read. */
  readonly configFile?: string | null;
  readonly timeoutMs?: number;
}

/** Names the traps of running in a Group-Office. Changes nothing; every check is made with a real request. */
export async function doctorGroupOffice(options: DoctorOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const say = (check: Finding['check'], level: Finding['level'], text: string) => void findings.push({ check, level, text });
  const client = new GroupOfficeClient(options);
  const call = () => ({ signal: AbortSignal.timeout(options.timeoutMs ?? 10_000) });
  try {
    folder(options, say);
    allowed(options, say);
    const reachable = await dropInAnswers(client, call, say);
    const info = reachable ? await key(client, options, call, say) : null;
    await startPage(options, call, say);
    await sameOrigin(options, call, say);
    if (info !== null) await insideGroupOffice(client, options, info, call, say);
  } finally {
    client.close();
  }
  return findings;
}

type Say = (check: Finding['check'], level: Finding['level'], text: string) => void;
type Call = () => { signal: AbortSignal };

function folder({ path, basePath, localUsers }: DoctorOptions, say: Say): void {
  if (path === null) return;
  const { present, changed } = compareDropIn(join(path, 'go', 'modules', ...DROP_IN.split('/')), dropInFiles({ basePath, localUsers }));
  if (!present) say('folder', 'problem', `go/modules/${DROP_IN} is not there. An upgrade of Group-Office may have replaced its folder: run "install group-office" again.`);
  else if (changed.length > 0) say('folder', 'problem', `go/modules/${DROP_IN} is of another version or was edited (${changed.slice(0, 3).join(', ')}): run "install group-office" again.`);
  else say('folder', 'ok', `go/modules/${DROP_IN} is this version's.`);
}

function allowed({ path, configFile }: DoctorOptions, say: Say): void {
  const candidates = configFile === undefined || configFile === null ? (path === null ? [] : [join(path, 'config.php'), '/etc/groupoffice/config.php']) : [configFile];
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) return;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return say('allowed', 'warning', `${file} cannot be read here: see yourself that allowed_modules, where it is set, lists ${DROP_IN}.`);
  }
  const list = /^(?!\s*(?:\/\/|#|\*)).*allowed_modules['"]?\]?\s*=>?\s*([^;]*)/m.exec(text)?.[1] ?? '';
  if (/['"][^'"]+['"]/.test(list) && !/mailboxpassword\/(mailboxpassword|\*)/.test(list)) {
    say('allowed', 'problem', `allowed_modules in ${file} does not list ${DROP_IN}: add it.`);
  } else say('allowed', 'ok', 'allowed_modules does not shut the module out.');
}

async function dropInAnswers(client: GroupOfficeClient, call: Call, say: Say): Promise<boolean> {
  try {
    await client.dropIn({ kind: 'nobody' }, 'info', {}, call());
  } catch (error) {
    if (error instanceof GroupOfficeError && error.type === 'unauthorized') {
      say('reachable', 'ok', 'Group-Office answers and knows the drop-in.');
      return true;
    }
    const missing = error instanceof GroupOfficeError && error.kind === 'refused';
    say('reachable', 'problem', missing
      ? 'Group-Office answers and does not know the drop-in: the folder is not where this Group-Office looks, or is not readable for its PHP.'
      : `Group-Office does not answer at this address: ${error instanceof Error ? error.message : 'no reason'}`);
  }
  return false;
}

async function key(client: GroupOfficeClient, { serviceKey }: DoctorOptions, call: Call, say: Say): Promise<InfoAnswer | null> {
  if (serviceKey === null) {
    say('key', 'problem', 'There is no service key: retries of a log-out cannot be made. Run "install group-office".');
    return null;
  }
  try {
    const info = await client.dropIn<InfoAnswer>({ kind: 'bearer', token: serviceKey }, 'info', {}, call());
    say('key', info.mayManage ? 'ok' : 'problem', info.mayManage ? 'The service key is good.' : "The service key's user lacks the manage right of the module.");
    return info;
  } catch (error) {
    const reason = error instanceof GroupOfficeError ? error.type : 'no answer';
    say('key', 'problem', `Group-Office refuses the service key (${reason}): was it deleted, or the module not installed? Run "install group-office".`);
    return null;
  }
}

async function insideGroupOffice(client: GroupOfficeClient, options: DoctorOptions, info: InfoAnswer, call: Call, say: Say): Promise<void> {
  const bearer = { kind: 'bearer' as const, token: options.serviceKey ?? '' };
  try {
    const { list } = await client.call<{ list: { package: string | null; name: string; permissions: Record<string, unknown> | null }[] }>(
      bearer, 'Module/get', { ids: null, properties: ['id', 'package', 'name', 'permissions'] }, call(),
    );
    const module = list.find(({ package: pkg, name }) => `${String(pkg)}/${name}` === DROP_IN);
    const groups = Object.keys(module?.permissions ?? {});
    // One row is the service's own.
    if (groups.length < 2) say('permission', 'problem', 'No group of users may see the module: give "Internal" the right in System settings > Modules.');
    else say('permission', 'ok', 'Users may see the module.');
  } catch {
    say('permission', 'warning', "The module's permissions could not be read.");
  }
  await protocol(options, bearer, call, say);

  const ids = new Set([info.cacheId]);
  const addresses = await lookup(new URL(options.url).hostname, { all: true }).catch(() => []);
  for (let again = 0; again < 8; again++) ids.add((await client.dropIn<InfoAnswer>(bearer, 'info', {}, call()).catch(() => info)).cacheId);
  if (ids.size > 1 || info.cache === 'None') {
    say('apcu', 'problem', `Group-Office answers from ${String(ids.size)} caches (${info.cache}): a session ended in one lives on in another. Give all PHP pools and web nodes one shared cache ($config['cache']).`);
  } else if (addresses.length > 1) {
    say('apcu', 'warning', `${new URL(options.url).hostname} is ${String(addresses.length)} addresses: all of them must share one cache ($config['cache']).`);
  } else say('apcu', 'ok', `One cache answers (${info.cache}).`);
}

/** Asked the way browsers come, through the proxy: Group-Office's links and secure cookies follow what it believes. */
async function protocol({ publicUrl }: DoctorOptions, bearer: Credentials, call: Call, say: Say): Promise<void> {
  const outside = new GroupOfficeClient({ url: publicUrl });
  try {
    const { apiUrl } = ((await outside.session(bearer, call())) ?? {}) as { apiUrl?: unknown };
    const wanted = new URL(publicUrl);
    const believed = typeof apiUrl === 'string' ? new URL(apiUrl) : wanted;
    if (believed.protocol === wanted.protocol) say('proxy', 'ok', 'Group-Office sees the right protocol.');
    else say('proxy', 'problem', `Browsers use ${wanted.protocol}//, Group-Office believes ${believed.protocol}//: the proxy in front must send X-Forwarded-Proto, else its links and cookies are not secure.`);
  } catch {
    say('proxy', 'warning', `Group-Office could not be asked at ${publicUrl}: whether the proxy sends X-Forwarded-Proto is not known.`);
  } finally {
    outside.close();
  }
}

interface Page { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly text: string }

function fetchPage(url: string, { signal }: { signal: AbortSignal }): Promise<Page> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith('https:') ? httpsRequest : httpRequest;
    const outgoing = get(url, { signal, headers: { Accept: '*/*' } }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => { if (text.length < 2_000_000) text += chunk; });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text })).on('error', reject);
    });
    outgoing.on('error', reject).end();
  });
}

async function startPage({ publicUrl }: DoctorOptions, call: Call, say: Say): Promise<void> {
  const page = await fetchPage(publicUrl.replace(/\/*$/, '/'), call()).catch(() => null);
  if (page === null || page.status !== 200) {
    return say('cache', 'warning', `The start page at ${publicUrl} could not be read${page === null ? '' : ` (HTTP ${String(page.status)})`}.`);
  }
  if (page.text.includes(`${DROP_IN}/views/goui/dist/Index.js`)) say('cache', 'ok', 'The start page loads the module.');
  else say('cache', 'problem', "The start page does not load the module: clear Group-Office's cache (install/clearcache.php, or the command line), else everyone keeps the old scripts.");
  const policy = [page.headers['content-security-policy']].flat().join(', ');
  const directive = (name: string) => new RegExp(`(?:^|[;,])\\s*${name}\\s+([^;,]*)`).exec(policy)?.[1];
  const shut = ['script-src', 'connect-src'].filter((name) => {
    const sources = directive(name) ?? directive('default-src');
    return sources !== undefined && !/'self'|\*/.test(sources);
  });
  if (shut.length > 0) say('csp', 'problem', `Content-Security-Policy of the start page: ${shut.join(' and ')} must allow 'self'.`);
  else say('csp', 'ok', 'The Content-Security-Policy allows the service.');
}

async function sameOrigin({ publicUrl, basePath }: DoctorOptions, call: Call, say: Say): Promise<void> {
  const base = new URL(publicUrl).origin + basePath;
  const answer = await fetchPage(`${base}/api/v1/context`, call()).catch(() => null);
  const loader = await fetchPage(`${base}/assets/loader.js`, call()).catch(() => null);
  const isOurs = answer?.status === 401 && answer.text.includes('AUTHENTICATION_REQUIRED');
  if (isOurs && loader?.status === 200) say('sameOrigin', 'ok', `The service answers at ${base}.`);
  else say('sameOrigin', 'problem', `The service does not answer at ${base} (context: HTTP ${String(answer?.status ?? 'none')}, loader: HTTP ${String(loader?.status ?? 'none')}): it must be a path of Group-Office's own host. See the lines for nginx and Apache.`);
}
