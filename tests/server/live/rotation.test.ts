import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { changesUnderLoad, type Mailbox } from '../../fixtures/changesUnderLoad.ts';
import { moduleUser } from '../../fixtures/moduleUser.ts';
import { startRotated, stopRotated } from '../../fixtures/rotatedService.ts';
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
  beforeAll(async () => { [platform, hook] = await Promise.all([startMailPlatform(engine), receiver()]); });
  afterAll(async () => { await stopRotated(); await platform.stop(); await hook.stop(); });

  it('database password, doveadm key and webhook key: changes without pause, not one fails and every one logs out everywhere, at once', async () => {
    const { database, dovecot } = platform;
    const { urlWith, alter } = await moduleUser(engine, database, 'old');
    const load = (accounts: object, doveadm: object, webhook: object) => ({
      accounts: [{ driver: 'sql', domains: ['*'], preset: 'postfixadmin', columns: { changedAt: 'password_changed' }, scheme: 'ARGON2ID', ...accounts }],
      sessions: [
        { driver: 'embedded', name: 'web' },
        { driver: 'dovecot', name: 'mail', backends: [{ url: dovecot.url, ...doveadm }] },
        { driver: 'webhook', name: 'hook', url: hook.url, channels: ['activesync'], ...webhook },
      ],
    });
    const both = { accounts: { url: urlWith('new'), previousUrl: urlWith('old') }, doveadm: { apiKey: 'new-key', previousApiKey: 'api-key' }, webhook: { secret: NEW_KEY, previousSecret: OLD_KEY } };
    hook.believe(OLD_KEY);
    const { url, put, down } = await startRotated(load({ url: urlWith('old') }, { apiKey: 'api-key' }, { secret: OLD_KEY }));

    const people = (mailboxes: readonly Mailbox[]) => changesUnderLoad({
      url, mailboxes,
      async open({ address, password }) {
        const client = await imapClient(dovecot.imap, address, password);
        if (client === null) throw new Error('Dovecot refuses the present password');
        return () => client.alive();
      },
    });
    const reload = (...more: Parameters<typeof load>) => put(load(...more));

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
    await reload({ url: urlWith('old') }, { apiKey: 'api-key' }, { secret: OLD_KEY });
    expect(await down()).toEqual(['accounts', 'sessions:hook', 'sessions:mail']);
  });
});
