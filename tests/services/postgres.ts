import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort, remove, run, type Running, runToEnd, type Service, serviceFolder, started } from './process.ts';

export interface Postgres extends Service {
  readonly url: string;
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Where Debian keeps the newest installed version's programs. */
function postgresPrograms(): string {
  const root = '/usr/lib/postgresql';
  const [newest] = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return join(root, newest ?? '', 'bin');
}

/** Debian's PostgreSQL with a superuser and database `mail`, password `mail`; `settings` as after `-c`. */
export async function startPostgres(settings: readonly string[] = []): Promise<Postgres> {
  const folder = serviceFolder('postgres', 'postgres');
  const port = await freePort();
  const programs = postgresPrograms();
  const asPostgres = ['--reuid=postgres', '--regid=postgres', '--init-groups'];
  runToEnd('setpriv', [...asPostgres, join(programs, 'initdb'), '-D', `${folder}/data`, '-U', 'mail', '--auth=trust', '-N', '-E', 'UTF8', '--locale=C']);
  let running: Running | undefined;
  const connect = async (database: string): Promise<Client> => {
    const client = new Client({ host: '127.0.0.1', port, user: 'mail', password: 'mail', database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const start = async (): Promise<void> => {
    running = run('setpriv', [...asPostgres, join(programs, 'postgres'), '-D', `${folder}/data`, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`, ...settings.flatMap((setting) => ['-c', setting])]);
    await started(running, async () => { await (await connect('postgres')).end(); return true; });
  };
  await start();
  const first = await connect('postgres');
  await first.query('CREATE DATABASE mail');
  await first.end();
  return {
    port, folder, url: `postgres://mail:mail@127.0.0.1:${String(port)}/mail`,
    async query(sql, values = []) {
      const client = await connect('mail');
      try {
        return (await client.query<Record<string, unknown>>(sql, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    // SIGINT: PostgreSQL's "fast" way down.
    async kill() { await running?.kill('SIGINT'); },
    start,
    async stop() { await running?.kill('SIGINT'); remove(folder); },
  };
}
