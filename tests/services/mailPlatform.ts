import { DoveadmClient } from '../../server/dovecot/doveadmClient.ts';
import { createHasher, type WriteScheme } from '../../server/hashing/hasher.ts';
import { Secret } from '../../server/secret.ts';
import { startDovecot, type Dovecot } from './dovecot.ts';
import { imapClient, type MailClient, pop3Client, sieveClient, submissionClient } from './mailClients.ts';
import { type MariaDb, startMariaDb } from './mariadb.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { sleep } from './process.ts';
import { relay } from './relay.ts';

export const MAILBOXES = [
  { address: 'alice@example.test', password: 'Wonder-land-7' },
  { address: 'bob@example.test', password: 'Builder-can-8' },
] as const;

/** A small mail platform: mailboxes in a database, Dovecot that reads them with its auth cache on, an SMTP relay behind. */
export async function startMailPlatform(engine: 'mariadb' | 'postgres', { scheme = 'ARGON2ID' }: { scheme?: WriteScheme } = {}) {
  const database: MariaDb | Postgres = engine === 'mariadb' ? await startMariaDb() : await startPostgres();
  const hasher = await createHasher({ scheme, prefix: true });
  await database.query(`CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, active smallint NOT NULL DEFAULT 1, password_changed bigint); CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY); INSERT INTO domain VALUES ('example.test');`);
  const seed = async (): Promise<void> => {
    await database.query('DELETE FROM mailbox');
    for (const { address, password } of MAILBOXES)
      await database.query(`INSERT INTO mailbox (username, password, domain) VALUES ('${address}', '${await hasher.hash(new Secret(password))}', 'example.test')`);
  };
  await seed();
  const outgoing = await relay();
  const driver = engine === 'mariadb' ? 'mysql' : 'pgsql';
  const dovecot: Dovecot = await startDovecot({
    passdb: { driver: 'sql', file: 'sql.conf' },
    files: { 'sql.conf': `driver = ${driver}
connect = host=127.0.0.1 port=${String(database.port)} dbname=mail user=mail password=mail
password_query = SELECT username AS user, password FROM mailbox WHERE username = '%u' AND active = 1
` },
    relayPort: outgoing.port,
  });
  // The seeds are written behind Dovecot's back: its auth cache has to forget too.
  const doveadm = new DoveadmClient({ url: dovecot.url, apiKey: dovecot.apiKey }, { now: () => Date.now() });
  return {
    database, dovecot,
    async seed(): Promise<void> {
      await seed();
      await doveadm.call('authCacheFlush', { user: MAILBOXES.map(({ address }) => address) }, AbortSignal.timeout(5000));
    },
    /** The service's configuration for this platform, beside the embedded host's web sessions. */
    overrides: {
      accounts: [{ driver: 'sql', domains: ['*'], url: database.url, preset: 'postfixadmin', columns: { changedAt: 'password_changed' }, scheme, connectTimeoutMs: 1000 }],
      sessions: [
        { driver: 'embedded', name: 'web' },
        { driver: 'dovecot', name: 'mail', backends: [{ url: dovecot.url, apiKey: dovecot.apiKey }] },
      ],
      revocation: { firstDelayMs: 50, maxDelayMs: 200, leaseMs: 500, pollMs: 50, alertAfterMs: 1 },
    },
    /** One client of each kind, all connected. */
    async connect(address: string, password: string): Promise<MailClient[]> {
      await this.accepts(address, password);
      const clients = await Promise.all([
        imapClient(dovecot.imap, address, password), imapClient(dovecot.imap, address, password, { idle: true }),
        pop3Client(dovecot.pop3, address, password), submissionClient(dovecot.submission, address, password), sieveClient(dovecot.sieve, address, password),
      ]);
      return clients.map((client) => { if (client === null) throw new Error(`${address} could not log in\n${dovecot.log()}`); return client; });
    },
    /** Whether IMAP takes this password now. */
    async accepts(address: string, password: string): Promise<boolean> {
      const end = Date.now() + 15_000;
      for (;;) {
        try {
          const client = await imapClient(dovecot.imap, address, password);
          client?.close();
          return client !== null;
        } catch (error) {
          // Dovecot waits a little before it asks a database again that was away.
          if (Date.now() > end || !String(error).includes('UNAVAILABLE')) throw error;
          await sleep(200);
        }
      }
    },
    async stop(): Promise<void> {
      await dovecot.stop();
      await database.stop();
      await new Promise<void>((resolve) => { outgoing.server.close(() => { resolve(); }); });
    },
  };
}

export type MailPlatform = Awaited<ReturnType<typeof startMailPlatform>>;
