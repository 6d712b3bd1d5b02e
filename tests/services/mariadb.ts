import { createConnection } from 'mysql2/promise';
import { freePort, remove, run, type Running, runToEnd, type Service, serviceFolder, started } from './process.ts';

export interface MariaDb extends Service {
  readonly url: string;
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** As the database's own administrator, who may make users. */
  administer(sql: string): Promise<void>;
  /** Down and up again on the same port, with the same data. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Debian's mariadbd with a database `mail` and a user `mail` (password `mail`). */
export async function startMariaDb(more: (folder: string) => readonly string[] = () => []): Promise<MariaDb> {
  const folder = serviceFolder('mariadb', 'mysql');
  const port = await freePort();
  runToEnd('mariadb-install-db', ['--no-defaults', '--user=mysql', `--datadir=${folder}/data`, '--auth-root-authentication-method=socket', '--skip-test-db']);
  const options = more(folder);
  let running: Running | undefined;
  const socket = `${folder}/s.sock`;
  const asRoot = () => createConnection({ socketPath: socket, user: 'root', multipleStatements: true });
  const start = async (): Promise<void> => {
    running = run('mariadbd', ['--no-defaults', '--user=mysql', `--datadir=${folder}/data`, `--socket=${socket}`, `--pid-file=${folder}/pid`, '--bind-address=127.0.0.1', `--port=${String(port)}`, ...options]);
    await started(running, async () => { await (await asRoot()).end(); return true; });
  };
  await start();
  const root = await asRoot();
  await root.query("CREATE DATABASE mail; CREATE USER 'mail'@'%' IDENTIFIED BY 'mail'; GRANT ALL ON *.* TO 'mail'@'%' WITH GRANT OPTION");
  await root.end();
  return {
    port, folder, url: `mysql://mail:mail@127.0.0.1:${String(port)}/mail`,
    async query(sql, values = []) {
      const connection = await createConnection({ host: '127.0.0.1', port, user: 'mail', password: 'mail', database: 'mail', multipleStatements: true });
      try {
        const [rows] = await connection.query(sql, [...values]);
        return rows as Record<string, unknown>[];
      } finally {
        await connection.end();
      }
    },
    async administer(statements) {
      const connection = await asRoot();
      await connection.query(statements).finally(() => connection.end());
    },
    async kill() { await running?.kill(); },
    start,
    async stop() { await running?.kill(); remove(folder); },
  };
}
