import { isIP } from 'node:net';
import { array, number, object, string } from 'yup';
import { addCounts, type Channel, CHANNELS, type ChannelCounts } from '../../../module/channels.ts';
import { ModuleError } from '../../../module/errors.ts';
import { DoveadmClient } from '../../dovecot/doveadmClient.ts';
import { urlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { authCacheFindings, diagnoseBackend } from '../../dovecot/diagnoseBackend.ts';
import { DovecotBackend } from '../../dovecot/dovecotBackend.ts';
import type { SessionStore } from '../../ports/sessionStore.ts';
import { defineSessionDriver } from '../defineDriver.ts';

const isLoopback = (url: string): boolean => ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);

/** A name without a dot is one too: `https://mail:8443` between containers. */
function isListener(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && /^\/?$/.test(url.pathname) && url.search === '' && url.hash === '';
}

const backend = object({
  url: string().required()
    .test('listener', '${path} must be https://host:port, or http://host:port on this machine', (url) => isListener(url))
    .test('tls', 'plain http goes to loopback only: the API key opens every mailbox', (url) => url.startsWith('https:') || !URL.canParse(url) || isLoopback(url))
    .meta({ description: 'The doveadm HTTP listener', example: 'https://imap1.example.com:8443' }),
  apiKey: string().min(1).required().meta({ description: 'doveadm_api_key', example: '{ file: /etc/mailbox-password/doveadm.key }', secret: true }),
  previousApiKey: string().min(1).meta({ description: 'While the key is exchanged: the other one, tried where the first is refused', example: '{ file: /etc/mailbox-password/doveadm.old.key }', secret: true }),
  caFile: string().min(1).meta({ description: 'Authority (PEM) of the listener\'s certificate', example: '/etc/ssl/mail-ca.pem' }),
  authCache: string().oneOf(['flush', 'none'] as const).meta({ description: 'none: this Dovecot has no auth cache (auth_cache_size = 0) and may be one that cannot be told to flush it, such as 2.4.1; it is watched all the same (default flush)', example: 'flush' }),
}).noUnknown().required();

const DEFAULT_CHANNELS: readonly Channel[] = ['imap', 'pop3', 'submission', 'managesieve'];

/** A mask of `doveadm kick` is a pattern, an address range or a name: what could be more than one name is refused. */
function nameFor(address: string, username: 'address' | 'local'): string {
  const lower = address.toLowerCase();
  const name = username === 'local' ? lower.slice(0, Math.max(0, lower.lastIndexOf('@'))) : lower;
  if (name === '' || name.length > 320 || /[*?/\u0000-\u001f\u007f]|\p{Surrogate}/u.test(name) || isIP(name) !== 0) {
    throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: 'the mailbox name cannot be handed to doveadm' });
  }
  return name;
}

/** IMAP, POP3, submission and ManageSieve connections of Dovecot, ended through its doveadm HTTP API. */
export default defineSessionDriver({
  name: 'dovecot',
  summary: 'Connections of mail programs to Dovecot: auth cache flushed, then kicked, on every back end.',
  options: object({
    backends: array(backend).min(1).required().meta({ description: 'Every Dovecot that serves these mailboxes' }),
    username: string().oneOf(['address', 'local'] as const).meta({ description: 'What Dovecot calls a user: the whole address, or the part before the @', example: 'address' }),
    channels: array(string().oneOf(CHANNELS).required()).min(1).meta({ description: 'The protocols that Dovecot serves', example: '[imap, pop3]' }),
    secondPassMs: number().integer().min(0).max(5000).meta({ description: 'After how long the first try flushes and kicks once more, for log-ins under way, until nobody new is found; 0 = not (default: as long as a log-in takes, by what the change itself has just cost)', example: 250 }),
    sessionsDuringOutage: string().oneOf(['keep', 'end'] as const).meta({
      description: 'Connections opened after the change while doveadm could not be asked and the auth cache may still have taken the old password', example: 'keep',
    }),
  }).noUnknown(),
  async create(options, { name, log, clock }): Promise<SessionStore> {
    const channels = options.channels ?? DEFAULT_CHANNELS;
    const backends = options.backends.map((one) => new DovecotBackend(new DoveadmClient(one, clock), one.authCache !== 'none'));
    const username = (address: string) => nameFor(address, options.username ?? 'address');
    const listed = (counts: ChannelCounts): ChannelCounts =>
      Object.fromEntries(channels.map((channel) => [channel, counts[channel] ?? 0]));

    return {
      name, channels,
      tls: urlEndpoints(...options.backends.map(({ url }) => url)),
      async list(address, { signal }) {
        return (await Promise.all(backends.map((one) => one.list(username(address), signal)))).flat();
      },
      async revoke(address, id, { signal }) {
        return (await Promise.all(backends.map((one) => one.endOne({ username: username(address), id, signal, log })))).includes(true);
      },
      async revokeAll({ address, issuedBefore, attempt, logInMs = null }, { signal }) {
        const options_ = { username: username(address), signal, log, secondPassMs: options.secondPassMs ?? null, logInMs };
        const late = { ...options_, issuedBefore, sessionsDuringOutage: options.sessionsDuringOutage ?? 'keep' };
        // All are asked, even where one is down; then that one decides the outcome.
        const results = await Promise.allSettled(backends.map((one) => (attempt === 1 ? one.endAll(options_) : one.endOld(late))));
        const failed = results.find((result) => result.status === 'rejected');
        if (failed !== undefined) throw failed.reason as Error;
        return { revoked: listed(results.reduce<ChannelCounts>((sum, result) => addCounts(sum, result.status === 'fulfilled' ? result.value : {}), {})) };
      },
      async check({ signal }) {
        await Promise.all(backends.map((one) => one.check(signal)));
      },
      async diagnose({ signal, refusedLogIn }) {
        const all = await Promise.all(options.backends.map((one, at) => diagnoseBackend(one, backends[at], signal)));
        const findings = all.flat();
        return findings.some(({ level, check }) => level === 'fail' && check !== 'tls') ? findings : [...findings, ...await authCacheFindings(backends, refusedLogIn, signal)];
      },
      async close() { /* every request has a connection of its own */ },
    };
  },
});
