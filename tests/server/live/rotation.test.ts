import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { pino } from 'pino';
import { loadConfig } from '../../../server/config/loadConfig.ts';
import { type Service, startService } from '../../../server/service/service.ts';
import { changesUnderLoad, type Mailbox } from '../../fixtures/changesUnderLoad.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { imapClient } from '../../services/mailClients.ts';
import { MAILBOXES, type MailPlatform, startMailPlatform } from '../../services/mailPlatform.ts';
import { freePort } from '../../services/process.ts';

jest.setTimeout(600_000);

/** A receiver of https://www.standardwebhooks.com that believes only the keys it has at the moment. */
async function receiver() {
  let keys: string[] = [];
  const verdicts: boolean[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += String(chunk); });
    request.on('end', () => {
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': given = '' } = request.headers as Record<string, string>;
      const right = keys.some((key) => {
        const expected = `v1,${createHmac('sha256', Buffer.from(key.slice('whsec_'.length), 'base64')).update(`${String(id)}.${String(at)}.${body}`).digest('base64')}`;
        return given.split(' ').some((one) => one.length === expected.length && timingSafeEqual(Buffer.from(one), Buffer.from(expected)));
      });
      verdicts.push(right);
      response.writeHead(right ? 200 : 401).end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  return { url: `http://127.0.0.1:${String(port)}/`, verdicts, believe: (...now: string[]) => { keys = now; }, stop: () => new Promise<void>((resolve) => { server.close(() => { resolve(); }); server.closeAllConnections(); }) };
}

const [OLD_KEY, NEW_KEY] = [`whsec_${Buffer.alloc(32, 1).toString('base64')}`, `whsec_${Buffer.alloc(32, 2).toString('base64')}`];

describe.each(['mariadb', 'postgres'] as const)('secrets are exchanged one by one under a running service, on %s', (engine) => {
  let platform: MailPlatform;
  let hook: Awaited<ReturnType<typeof receiver>>;
  let service: Service | undefined;
  beforeAll(async () => { [platform, hook] = await Promise.all([startMailPlatform(engine), receiver()]); });
  afterAll(async () => { await service?.stop(); await platform.stop(); await hook.stop(); });

  it('database password, doveadm key and webhook key: changes without pause, not one fails and every one logs out everywhere, at once', async () => {
    const { database, dovecot } = platform;
    const alter = (password: string) => database.query(engine === 'mariadb' ? `ALTER USER 'module'@'%' IDENTIFIED BY '${password}'` : `ALTER ROLE module PASSWORD '${password}'`);
    if (engine === 'mariadb') await database.query("CREATE USER 'module'@'%' IDENTIFIED BY 'old'; GRANT ALL ON mail.* TO 'module'@'%'");
    else {
      await database.query("CREATE ROLE module LOGIN PASSWORD 'old'; GRANT ALL ON ALL TABLES IN SCHEMA public TO module");
      // The tests' PostgreSQL trusts everybody: for this role it asks.
      const rules = join(database.folder, 'data', 'pg_hba.conf');
      writeFileSync(rules, `host all module 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, 'utf8')}`);
      await database.query('SELECT pg_reload_conf()');
    }
    const urlWith = (password: string): string => {
      const url = new URL(database.url);
      url.username = 'module';
      url.password = password;
      return url.href;
    };
    const dataDir = tempFolder();
    const load = (accounts: object, doveadm: object, webhook: object) => () => loadConfig({ overrides: {
      dataDir, log: { level: 'silent' }, server: { port: 0 }, timeouts: { accountsMs: 30_000, sessionsMs: 30_000, hostMs: 30_000 },
      accounts: [{ driver: 'sql', domains: ['*'], preset: 'postfixadmin', columns: { changedAt: 'password_changed' }, scheme: 'ARGON2ID', ...accounts }],
      sessions: [
        { driver: 'embedded', name: 'web' },
        { driver: 'dovecot', name: 'mail', backends: [{ url: dovecot.url, ...doveadm }] },
        { driver: 'webhook', name: 'hook', url: hook.url, channels: ['activesync'], ...webhook },
      ],
    } });
    const both = { accounts: { url: urlWith('new'), previousUrl: urlWith('old') }, doveadm: { apiKey: 'new-key', previousApiKey: 'api-key' }, webhook: { secret: NEW_KEY, previousSecret: OLD_KEY } };
    hook.believe(OLD_KEY);
    const running = await startService(load({ url: urlWith('old') }, { apiKey: 'api-key' }, { secret: OLD_KEY })(), pino({ level: 'silent' }));
    service = running;

    const people = (mailboxes: readonly Mailbox[]) => changesUnderLoad({
      url: running.url, mailboxes,
      async open({ address, password }) {
        const client = await imapClient(dovecot.imap, address, password);
        if (client === null) throw new Error('Dovecot refuses the present password');
        return () => client.alive();
      },
    });
    const reload = async (...more: Parameters<typeof load>) => {
      const { kept, beforeEnded } = await running.reload(load(...more));
      expect([kept, await beforeEnded]).toEqual([[], true]);
    };

    const first = people(MAILBOXES);
    await first.more();
    // 1. The service learns the new ones beside the old ones.
    await reload(both.accounts, both.doveadm, both.webhook);
    await first.more();
    // 2. The others exchange theirs, one after the other. Connections that are open stay: a reload makes new ones.
    await alter('new');
    await first.more();
    await reload(both.accounts, both.doveadm, both.webhook);
    await first.more();
    // Dovecot itself is away meanwhile: nobody changes, and nothing of it is ours.
    const before = await first.stop();
    expect(before.failures).toEqual([]);
    const conf = join(dovecot.folder, 'dovecot.conf');
    writeFileSync(conf, readFileSync(conf, 'utf8').replace('doveadm_api_key = api-key', 'doveadm_api_key = new-key'));
    await dovecot.kill();
    await dovecot.start();
    const second = people([...before.passwords].map(([address, password]) => ({ address, password })));
    await second.more();
    hook.believe(NEW_KEY);
    await second.more();
    // 3. The service forgets the old ones.
    await reload({ url: urlWith('new') }, { apiKey: 'new-key' }, { secret: NEW_KEY });
    await second.more();
    const { failures, changes } = await second.stop();
    expect(failures).toEqual([]);
    expect(before.changes + changes).toBeGreaterThanOrEqual(16 * MAILBOXES.length);
    expect(hook.verdicts.length).toBeGreaterThanOrEqual(before.changes + changes);
    expect(hook.verdicts).not.toContain(false);
    // And the old ones alone open nothing.
    await (await running.reload(load({ url: urlWith('old') }, { apiKey: 'api-key' }, { secret: OLD_KEY }))).beforeEnded;
    const down = ((await (await fetch(`${running.url}/readyz`)).json()) as { down: string[] }).down;
    expect(down).toEqual(['accounts', 'sessions:hook', 'sessions:mail']);
  });
});
