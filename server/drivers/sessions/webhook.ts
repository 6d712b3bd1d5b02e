import { createHmac } from 'node:crypto';
import { array, boolean, number, object, string } from 'yup';
import { type Channel, type ChannelCounts, CHANNELS } from '../../../module/channels.ts';
import { ModuleError } from '../../../module/errors.ts';
import { diagnoseUrl } from '../../diagnosis/findings.ts';
import { urlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import type { SessionStore } from '../../ports/sessionStore.ts';
import { defineSessionDriver } from '../defineDriver.ts';

/** https://www.standardwebhooks.com asks for 24 to 64 bytes. */
const secretKey = () => string()
  .test('secret', '${path} must be whsec_ followed by 24 to 64 bytes in base64', (value) => value === undefined || keyOf(value) !== null);

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** An answer holds a few counts. */
const MAX_ANSWER_BYTES = 65_536;
/** Statuses below 500 that pass by themselves: time-out, too early, too many requests. */
const PASSING = new Set([408, 425, 429]);

const parseUrl = (text: string): URL | null => {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.hash === '' ? url : null;
  } catch {
    return null;
  }
};

function keyOf(secret: string): Buffer | null {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  const key = encoded === undefined ? null : Buffer.from(encoded, 'base64');
  return key !== null && key.length >= 24 && key.length <= 64 ? key : null;
}

const options = object({
  url: string().required()
    .test('url', 'url must be https://..., without user name, password and fragment', (value) => parseUrl(value) !== null)
    .meta({ description: 'Where the call goes', example: 'https://sessions.example.com/hooks/mailbox-password' }),
  insecure: boolean().meta({ description: 'Allow http:// to another machine; only for trying things out (default false)', example: false }),
  secret: secretKey().required()
    .meta({ secret: true, description: 'What the calls are signed with: whsec_ and 24 to 64 bytes in base64', example: '{ file: /etc/mailbox-password/webhook.key }' }),
  previousSecret: secretKey()
    .meta({ secret: true, description: 'While the secret is exchanged: the other one; calls are signed with both', example: '{ file: /etc/mailbox-password/webhook.old.key }' }),
  channels: array(string().oneOf([...CHANNELS]).required()).min(1)
    .meta({ description: 'What the receiver ends (default web)', example: ['web'] }),
  timeoutMs: number().integer().min(100).max(60_000).meta({ description: 'Milliseconds to wait for the answer (default 10000)', example: 10_000 }),
}).noUnknown()
  .test('https', 'url must be https:// unless it is on this machine, or insecure: true', (own) => {
    const url = parseUrl(own.url);
    return url === null || url.protocol === 'https:' || LOOPBACK.test(url.hostname) || own.insecure === true;
  });

const misconfigured = (detail: string): ModuleError => new ModuleError('SESSIONS_MISCONFIGURED', { detail });
const unavailable = (detail: string): ModuleError => new ModuleError('SESSIONS_UNAVAILABLE', { detail });

/** A signed call (Standard Webhooks) to what an operator runs beside. */
export default defineSessionDriver({
  name: 'webhook',
  summary: "A signed call to an operator's own service, which ends the sessions.",
  options,
  async create(own, { name, clock }): Promise<SessionStore> {
    const channels: readonly Channel[] = [...new Set<Channel>(own.channels ?? ['web'])];
    const keys = [own.secret, own.previousSecret].flatMap((secret) => (secret === undefined ? [] : (keyOf(secret) ?? [])));

    /** The same for every retry of one log-out, and without the secret it tells nothing. */
    const idFor = (...parts: readonly (string | number)[]): string =>
      `msg_${createHmac('sha256', keys[0] ?? '').update(JSON.stringify(parts)).digest('base64url').slice(0, 32)}`;

    async function call(id: string, message: object, signal: AbortSignal): Promise<string> {
      if (signal.aborted) throw unavailable('the deadline had passed');
      const body = JSON.stringify(message);
      const timestamp = String(Math.floor(clock.now() / 1000));
      const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`);
      const stop = AbortSignal.any([signal, AbortSignal.timeout(own.timeoutMs ?? 10_000)]);
      let response: Response;
      let text: string | null;
      try {
        response = await fetch(own.url, {
          method: 'POST', body, redirect: 'manual', signal: stop,
          headers: {
            'content-type': 'application/json', accept: 'application/json', 'user-agent': 'mailbox-password',
            'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' '),
          },
        });
        text = await readCapped(response);
      } catch (error) {
        throw unavailable(stop.aborted ? 'no answer in time' : `no connection, or it broke off${causeCode(error)}`);
      }
      const { status } = response;
      if (status >= 500 || PASSING.has(status)) throw unavailable(`the receiver answered ${String(status)}`);
      // 202 promises something for later; only what is done may be called done (I3).
      if (status === 202) throw unavailable('the receiver answered 202: not done yet');
      if (!response.ok) throw misconfigured(`the receiver answered ${String(status)}`);
      if (text === null) throw misconfigured('the answer is too large');
      return text;
    }

    const refuse = (): Promise<never> => Promise.reject(new ModuleError('OPERATION_NOT_SUPPORTED', { detail: 'a webhook only ends all sessions' }));

    return {
      name,
      tls: urlEndpoints(own.url),
      channels,
      list: refuse,
      revoke: refuse,
      async revokeAll({ address, issuedBefore, attempt }, { signal }) {
        const answer = await call(idFor('revoke', address.toLowerCase(), issuedBefore), {
          type: 'mailbox.sessions.revoke',
          address,
          issuedBefore: new Date(issuedBefore).toISOString(),
          issuedBeforeMs: issuedBefore,
          changeAttempt: attempt,
        }, signal);
        return { revoked: countsOf(answer, channels) };
      },
      async check({ signal }) {
        await call(idFor('check', clock.now()), { type: 'mailbox.sessions.check' }, signal);
      },
      diagnose: ({ signal }) => diagnoseUrl(own.url, signal, {}, () => call(idFor('check', clock.now()), { type: 'mailbox.sessions.check' }, signal), 'check url, and that the receiver knows the secret'),
      close: () => Promise.resolve(),
    };
  },
});

/** Null where the body is larger than an answer can be; the rest of it is not read. */
async function readCapped(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** An empty body says "done"; anything else must be the answer as documented: a log-in page with status 200 is no success. */
function countsOf(answer: string, channels: readonly Channel[]): ChannelCounts {
  if (answer.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    throw misconfigured('the answer is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw misconfigured('the answer is not a JSON object');
  const { revoked = {} } = parsed as { revoked?: unknown };
  if (typeof revoked !== 'object' || revoked === null || Array.isArray(revoked)) throw misconfigured('"revoked" is not an object');
  const counts: ChannelCounts = {};
  for (const [channel, count] of Object.entries(revoked)) {
    const known = channels.find((candidate) => candidate === channel);
    if (known === undefined) throw misconfigured('"revoked" names a channel that is not configured');
    if (!Number.isSafeInteger(count) || (count as number) < 0) throw misconfigured(`"revoked.${known}" is not a count`);
    counts[known] = count as number;
  }
  return counts;
}

function causeCode(error: unknown): string {
  const code = (error as { cause?: { code?: unknown } }).cause?.code;
  return typeof code === 'string' ? ` (${code})` : '';
}
