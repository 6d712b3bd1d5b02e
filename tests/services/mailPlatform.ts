import { DoveadmClient } from '../../server/dovecot/doveadmClient.ts';
import type { WriteScheme } from '../../server/hashing/hasher.ts';
import { startDovecot, type Dovecot } from './dovecot.ts';
import { imapClient, type MailClient, pop3Client, sieveClient, submissionClient } from './mailClients.ts';
import { type MailBackend, MAILBOXES, sqlBackend } from './mailBackends.ts';
import { sleep } from './process.ts';
import { relay } from './relay.ts';

export { MAILBOXES };

/** A small mail platform on a database, or on what {@link BACKENDS} names. */
export const startMailPlatform = async (engine: 'mariadb' | 'postgres', { scheme = 'ARGON2ID', extra = '' }: { scheme?: WriteScheme; extra?: string } = {}) => {
  const backend = await sqlBackend(engine, scheme);
  return { ...(await platformOn(backend, extra)), database: backend.database };
};

/** Mailboxes in a back end, Dovecot that reads them with its auth cache on, an SMTP relay behind. */
export async function platformOn(backend: MailBackend, extra = '') {
  await backend.seed();
  const outgoing = await relay();
  const dovecot: Dovecot = await startDovecot({ ...backend.passdb, relayPort: outgoing.port, extra });
  // The seeds are written behind Dovecot's back: its auth cache has to forget too.
  const doveadm = new DoveadmClient({ url: dovecot.url, apiKey: dovecot.apiKey }, { now: () => Date.now() });
  return {
    backend, dovecot,
    async seed(): Promise<void> {
      await backend.seed();
      await doveadm.call('authCacheFlush', { user: MAILBOXES.map(({ address }) => address) }, AbortSignal.timeout(5000));
    },
    /** The service's configuration for this platform, beside the embedded host's web sessions. */
    overrides: {
      accounts: [backend.accounts],
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
      await backend.stop();
      await new Promise<void>((resolve) => { outgoing.server.close(() => { resolve(); }); });
    },
  };
}

export type AnyMailPlatform = Awaited<ReturnType<typeof platformOn>>;
export type MailPlatform = Awaited<ReturnType<typeof startMailPlatform>>;
