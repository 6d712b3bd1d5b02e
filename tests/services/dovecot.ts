import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chownSync } from 'node:fs';
import { freePort, remove, run, type Running, serviceFolder, started, until } from './process.ts';
import { answers } from './slapd.ts';

export interface DovecotOptions {
  /** The passdb's driver and the file in `files`, or absolute, that holds its arguments. */
  readonly passdb: { readonly driver: 'sql' | 'ldap' | 'passwd-file'; readonly file: string };
  /** Written into the server's folder; `{folder}` stands for it. */
  readonly files: Readonly<Record<string, string>>;
  /** Where submission hands mail on to. */
  readonly relayPort?: number;
  readonly authCache?: boolean;
  /** More configuration, after ours; `{doveadm}` stands for the port of the doveadm HTTP listener. */
  readonly extra?: string;
  /** A certificate and its key (PEM files): IMAP also over TLS; the doveadm HTTP API only so where `doveadm` is true (its listener has one name). */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly doveadm?: boolean };
}

export interface Dovecot {
  readonly folder: string;
  readonly imap: number;
  /** Encrypted from the start; 0 without `tls`. */
  readonly imaps: number;
  readonly pop3: number;
  readonly submission: number;
  readonly sieve: number;
  readonly doveadm: number;
  readonly apiKey: string;
  readonly url: string;
  log(): string;
  kill(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Debian's Dovecot with IMAP, POP3, submission, ManageSieve and the doveadm HTTP API on free ports; auth cache on. */
export async function startDovecot({ passdb, files, relayPort = 1, authCache = true, extra = '', tls }: DovecotOptions): Promise<Dovecot> {
  const folder = serviceFolder('dovecot');
  const [imap = 0, pop3 = 0, submission = 0, sieve = 0, doveadm = 0] = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
  const imaps = tls === undefined ? 0 : await freePort();
  mkdirSync(join(folder, 'mail'));
  chownSync(join(folder, 'mail'), 65_534, 65_534);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text.replaceAll('{folder}', folder));
  const listener = (service: string, name: string, port: number, more = '') => `service ${service} {\n inet_listener ${name} {\n  port = ${String(port)}\n }\n${more}}\n`;
  const off = (name: string) => ` inet_listener ${name} {\n  port = 0\n }\n`;
  writeFileSync(join(folder, 'dovecot.conf'), `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
${tls === undefined ? 'ssl = no' : `ssl = yes\nssl_cert = <${tls.certificate}\nssl_key = <${tls.key}`}
disable_plaintext_auth = no
protocols = imap pop3 submission sieve
listen = 127.0.0.1
first_valid_uid = 1
${authCache ? 'auth_cache_size = 10M\nauth_cache_ttl = 1 hour' : ''}
auth_failure_delay = 0
mail_max_userip_connections = 1000
mail_location = maildir:${folder}/mail/%u
submission_relay_host = 127.0.0.1
submission_relay_port = ${String(relayPort)}
doveadm_api_key = api-key
service anvil {
 unix_listener anvil-auth-penalty {
  mode = 0
 }
}
${listener('doveadm', 'http', doveadm).replace(' }', tls?.doveadm === true ? '  ssl = yes\n }' : ' }')}
${listener('imap-login', 'imap', imap, tls === undefined ? off('imaps') : ` inet_listener imaps {\n  port = ${String(imaps)}\n  ssl = yes\n }\n`)}
${listener('pop3-login', 'pop3', pop3, off('pop3s'))}
${listener('submission-login', 'submission', submission)}
${listener('managesieve-login', 'sieve', sieve)}
passdb {
 driver = ${passdb.driver}
 args = ${passdb.file.startsWith('/') ? passdb.file : `${folder}/${passdb.file}`}
}
userdb {
 driver = static
 args = uid=65534 gid=65534 home=${folder}/mail/%u
}
${extra.replaceAll('{doveadm}', String(doveadm))}
`);
  let running: Running | undefined;
  const log = () => (existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, 'utf8') : '');
  const start = async (): Promise<void> => {
    running = run('dovecot', ['-F', '-c', join(folder, 'dovecot.conf')]);
    try {
      await started(running, async () => (await answers(imap)) && (await answers(doveadm)));
    } catch (error) {
      throw new Error(`${String(error)}\n${log()}`);
    }
  };
  const kill = async (signal?: NodeJS.Signals): Promise<void> => {
    await running?.kill(signal);
    await until('Dovecot\'s end', async () => !(await answers(imap)));
    appendFileSync(`${folder}/log`, '--- ended by the test\n');
  };
  await start();
  return {
    folder, imap, imaps, pop3, submission, sieve, doveadm, apiKey: 'api-key', url: `${tls?.doveadm === true ? 'https' : 'http'}://127.0.0.1:${String(doveadm)}`,
    log, kill, start,
    async stop() { await running?.kill(); remove(folder); },
  };
}
