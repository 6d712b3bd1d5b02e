import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import type { WriteScheme } from '../../server/hashing/hasher.ts';
import { freePort, remove, run, runToEnd, serviceFolder, started } from './process.ts';

const PROGRAM = '/usr/share/roundcube';
const fpm = (): string | undefined => readdirSync('/usr/sbin').find((name) => /^php-fpm\d/.test(name));

/** What is missing on this machine, as Debian's packages. */
export const missingForRoundcube = (): string[] => [
  ...(existsSync(`${PROGRAM}/plugins/password/password.php`) ? [] : ['roundcube-core', 'roundcube-plugins', 'roundcube-sqlite3']),
  ...(fpm() === undefined ? ['php-fpm'] : []), ...(existsSync('/usr/sbin/nginx') ? [] : ['nginx']),
  ...(existsSync('/usr/share/php') && readdirSync('/etc/php').some((version) => existsSync(`/etc/php/${version}/mods-available/mysqli.ini`)) ? [] : ['php-mysql']),
];

const ALGORITHM: Readonly<Record<WriteScheme, string>> = {
  // The same cost as ours; PHP's own default for Argon2id would be 64 MiB and four passes.
  ARGON2ID: "'hash-argon2id'; $config['password_algorithm_options'] = ['memory_cost' => 19456, 'time_cost' => 2, 'threads' => 1]",
  'BLF-CRYPT': "'blowfish-crypt'; $config['password_algorithm_options'] = ['cost' => 10]",
  'SHA512-CRYPT': "'sha512-crypt'",
};

export interface RoundcubeOptions { readonly imap: number; readonly database: string; readonly scheme: WriteScheme; readonly workers: number; readonly proxied: string }

/** Debian's Roundcube with its password plugin (driver sql) behind nginx; the same nginx passes on to `proxied` at `proxy`. Nothing outside its folder is touched. */
export async function startRoundcube({ imap, database, scheme, workers, proxied }: RoundcubeOptions) {
  const folder = serviceFolder('roundcube', 'www-data');
  const [port, proxy] = [await freePort(), await freePort()];
  for (const name of ['config', 'temp', 'logs']) mkdirSync(join(folder, name));
  copyFileSync('/etc/roundcube/defaults.inc.php', join(folder, 'config/defaults.inc.php'));
  const file = new Database(join(folder, 'rc.db'));
  file.exec(readFileSync(`${PROGRAM}/SQL/sqlite.initial.sql`, 'utf8'));
  file.close();
  writeFileSync(join(folder, 'config/config.inc.php'), `<?php
$config['db_dsnw'] = 'sqlite:///${folder}/rc.db?mode=0640';
$config['imap_host'] = '127.0.0.1:${String(imap)}';
$config['imap_auth_type'] = 'PLAIN';
$config['smtp_host'] = '127.0.0.1:1';
$config['des_key'] = '0123456789abcdef01234567';
$config['temp_dir'] = '${folder}/temp/'; $config['log_dir'] = '${folder}/logs/';
$config['plugins'] = ['password']; $config['language'] = 'en_US'; $config['login_rate_limit'] = 0; $config['session_samesite'] = 'Lax';
$config['password_driver'] = 'sql'; $config['password_confirm_current'] = true; $config['password_algorithm_prefix'] = true;
$config['password_db_dsn'] = '${database}';
$config['password_query'] = 'UPDATE mailbox SET password = %P WHERE username = %u';
$config['password_algorithm'] = ${ALGORITHM[scheme]};
`);
  writeFileSync(join(folder, 'fpm.conf'), `[global]
error_log = ${folder}/fpm.log
daemonize = no
[www]
user = www-data
group = www-data
listen = ${folder}/fpm.sock
listen.owner = www-data
pm = static
pm.max_children = ${String(workers)}
env[RCUBE_CONFIG_PATH] = ${folder}/config
env[ROUNDCUBE_CONFIG_DIR] = ${folder}/config
`);
  writeFileSync(join(folder, 'nginx.conf'), `daemon off; user www-data; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types; access_log off;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${String(port)}; root /var/lib/roundcube/public_html; index index.php;
    location ~ \\.php$ { include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:${folder}/fpm.sock; fastcgi_read_timeout 120; } }
  server { listen 127.0.0.1:${String(proxy)}; location / { proxy_pass ${proxied}; proxy_set_header Host $http_host; proxy_http_version 1.1; } }
}
`);
  runToEnd('chown', ['-R', 'www-data:www-data', folder]);
  const php = run(`/usr/sbin/${fpm() ?? ''}`, ['-F', '-y', join(folder, 'fpm.conf')]);
  const nginx = run('/usr/sbin/nginx', ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')]);
  const url = `http://127.0.0.1:${String(port)}/`;
  await started(nginx, async () => (await fetch(url)).status === 200);
  return {
    url, proxied: `http://127.0.0.1:${String(proxy)}`, folder,
    async stop() { await nginx.kill(); await php.kill(); remove(folder); },
  };
}

class Jar {
  readonly #cookies = new Map<string, string>();
  async ask(url: string, form?: Record<string, string>): Promise<string> {
    const answer = await fetch(url, {
      redirect: 'manual', headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    const text = await answer.text();
    return answer.status >= 300 && answer.status < 400 ? `${text}\nlocation: ${answer.headers.get('location') ?? ''}` : text;
  }
}

const tokenIn = (page: string): string => /"request_token":"([^"]+)"/.exec(page)?.[1] ?? '';

/** A browser that is logged in to Roundcube. */
export async function enterRoundcube(url: string, user: string, password: string) {
  const jar = new Jar();
  const first = await jar.ask(`${url}?_task=login`);
  const answer = await jar.ask(`${url}?_task=login`, { _token: tokenIn(first), _task: 'login', _action: 'login', _user: user, _pass: password, _timezone: 'UTC', _url: '' });
  if (!answer.includes('location:') || answer.includes('_task=login')) throw new Error(`Roundcube did not let ${user} in: ${answer.slice(-600)}`);
  const page = await jar.ask(`${url}?_task=settings&_action=plugin.password`);
  return {
    change: async (current: string, next: string): Promise<boolean> => (await jar.ask(`${url}?_task=settings&_action=plugin.password-save`, {
      _token: tokenIn(page), _task: 'settings', _action: 'plugin.password-save', _curpasswd: current, _newpasswd: next, _confpasswd: next,
    })).includes('Successfully saved'),
    /** Whether it still shows mail. */
    alive: async (): Promise<boolean> => {
      const shown = await jar.ask(`${url}?_task=mail&_mbox=INBOX`);
      return shown.includes('"mailbox":"INBOX"') && !shown.includes('name="_pass"');
    },
  };
}
