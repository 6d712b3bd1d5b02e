import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { boolean, number, object, string } from 'yup';
import { CHANNELS } from '../../../module/channels.ts';
import { reasonOf, urlTlsFinding } from '../../diagnosis/findings.ts';
import { urlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { fail, ok, warn } from '../../ports/diagnosis.ts';
import type { Session, SessionStore } from '../../ports/sessionStore.ts';
import { openRedis, redisInTime } from '../../redisSessions/openRedis.ts';
import { POINTER } from '../../redisSessions/pointer.ts';
import { type Found, RedisSessions } from '../../redisSessions/redisSessions.ts';
import type { SessionValue } from '../../redisSessions/sessionValue.ts';
import { defineSessionDriver } from '../defineDriver.ts';

const pointer = () => string().matches(POINTER, '${path} must be a JSON pointer such as /user/email');

const options = object({
  url: string().required().matches(/^rediss?:\/\/[^\s?#]+$/, 'url must be redis:// or rediss://[user:password@]host[:port][/database]')
    .meta({ secret: true, description: 'Redis: redis://[user:password@]host[:port][/database], rediss:// for TLS', example: 'redis://:secret@127.0.0.1:6379/0' }),
  tls: object({
    ca: string().min(1).meta({ description: 'File with the certificates (PEM) that are trusted; the system\'s where it is left out', example: '/etc/ssl/certs/redis-ca.pem' }),
    verify: boolean().meta({ description: 'Check the server\'s certificate and name; false only for trying things out (default true)', example: true }),
  }).noUnknown().default(undefined).meta({ description: 'TLS beyond what rediss:// means', example: '{ ca: /etc/ssl/certs/redis-ca.pem }' }),
  connectTimeoutMs: number().integer().min(100).max(60_000).meta({ description: 'Milliseconds to wait for a connection (default 3000)', example: 3000 }),
  index: string().matches(/\{address\}/, 'index must hold {address}')
    .meta({ description: 'Key of the set that lists a user\'s sessions; either this or pattern', example: 'user-sessions:{address}' }),
  prefix: string().meta({ description: 'With index: what stands before a member of the set to make it the session\'s key (default nothing)', example: 'sess:' }),
  pattern: string().min(1).meta({ description: 'Pattern of the sessions\' keys; {address} in it is taken literally', example: 'sess:*' }),
  format: string().oneOf(['json', 'php', 'phpSerialize'] as const)
    .meta({ description: 'How a session is written: JSON (connect-redis), or PHP with serialize_handler php or php_serialize (default json)', example: 'php' }),
  address: pointer().meta({ description: 'Where in a session the e-mail address stands; needed with pattern', example: '/passport/user' }),
  issuedAt: pointer().meta({ description: 'Where the time of the log-in stands: ISO 8601, seconds or milliseconds; left out or unreadable: the session counts as old', example: '/signedInAt' }),
  lastSeenAt: pointer().meta({ description: 'Where the time of the last request stands, for the list', example: '/lastSeenAt' }),
  client: pointer().meta({ description: 'Where the user agent stands, for the list', example: '/userAgent' }),
  remoteAddress: pointer().meta({ description: 'Where the address of the client stands, for the list', example: '/ip' }),
  secondPassMs: number().integer().min(0).max(10_000)
    .meta({ description: 'Milliseconds until a second look, for sessions that a running request wrote back; 0 = none (default 300)', example: 300 }),
  channel: string().oneOf(CHANNELS).meta({ description: 'What is counted where a session is ended (default web)', example: 'web' }),
}).noUnknown()
  .test('where', 'either index or pattern is needed, not both', (own) => (own.index === undefined) !== (own.pattern === undefined))
  .test('address', 'address is needed with pattern', (own) => own.pattern === undefined || own.address !== undefined)
  .test('prefix', 'prefix belongs to index', (own) => own.prefix === undefined || own.index !== undefined);

/** A session's key holds what its cookie holds: only a hash of it is shown. */
const opaqueId = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Web sessions in Redis. */
export default defineSessionDriver({
  name: 'redis',
  summary: 'Web sessions in Redis: connect-redis, PHP, or any JSON that names the mailbox.',
  options,
  async create(own, { name, log }): Promise<SessionStore> {
    const { format = 'json', channel = 'web', secondPassMs = 300 } = own;
    const redis = openRedis(own);
    const sessions = new RedisSessions(redis, { index: own.index, prefix: own.prefix ?? '', pattern: own.pattern }, { ...own, format }, (count) => {
      log.warn({ store: name, count, format }, 'keys that match the pattern hold no session in this format; they were left alone');
    });
    if (own.issuedAt === undefined)
      log.warn({ store: name }, 'issuedAt is not set: a late retry of a log-out also ends sessions opened with the new password');

    async function endOld(address: string, issuedBefore: number, ended: Map<string, Found>, signal: AbortSignal): Promise<void> {
      const isOld = ({ issuedAt }: SessionValue): boolean => issuedAt === null || issuedAt < issuedBefore;
      const judge = async (found: Found): Promise<void> => {
        if (isOld(found.value) && (await sessions.end(found, address, isOld, signal))) ended.set(found.key, found);
      };
      for await (const found of sessions.again([...ended.values()], address, signal)) await judge(found);
      for await (const found of sessions.of(address, signal)) await judge(found);
    }

    return {
      name,
      tls: urlEndpoints(own.url),
      channels: [channel],
      list: (address, { signal }) => redisInTime(signal, async () => {
        const byId = new Map<string, Session>();
        for await (const { key, value } of sessions.of(address, signal)) {
          const { client, remoteAddress, issuedAt, lastSeenAt } = value;
          byId.set(opaqueId(key), { id: opaqueId(key), channel, client, remoteAddress, issuedAt, lastSeenAt });
        }
        return [...byId.values()];
      }),
      revoke: (address, id, { signal }) => redisInTime(signal, async () => {
        for await (const found of sessions.of(address, signal))
          if (opaqueId(found.key) === id) return sessions.end(found, address, () => true, signal);
        return false;
      }),
      revokeAll: ({ address, issuedBefore }, { signal }) => redisInTime(signal, async () => {
        const ended = new Map<string, Found>();
        await endOld(address, issuedBefore, ended, signal);
        if (secondPassMs > 0) {
          // A request that was running read its session before and writes it back when it ends.
          await pause(secondPassMs, undefined, { signal });
          await endOld(address, issuedBefore, ended, signal);
        }
        return { revoked: { [channel]: ended.size } };
      }),
      check: ({ signal }) => redisInTime(signal, () => sessions.check()),
      async diagnose({ signal }) {
        const secured = await urlTlsFinding(own.url, signal, { caFile: own.tls?.ca, verified: own.tls?.verify ?? true });
        const where = new URL(own.url).host;
        return [secured, await redisInTime(signal, () => sessions.check()).then(
          () => ok('log-in', `${where} answers`),
          (error: unknown) => fail('log-in', `${where}: ${reasonOf(error)}`, 'check url, and that the user may read and delete the keys of sessions'),
        ), own.issuedAt === undefined ? warn('log-in time', 'issuedAt is not set: a late retry of a log-out also ends sessions of the new password', 'set issuedAt if the sessions hold that time') : ok('log-in time', `issuedAt is ${own.issuedAt}`)];
      },
      async close() {
        redis.disconnect();
      },
    };
  },
});
