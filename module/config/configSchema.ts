import { array, boolean, type InferType, mixed, number, object, string } from 'yup';
import { CHARACTER_CLASSES, POLICY_PRESETS } from '../policy/passwordPolicy.ts';
import { isAddressRange } from './addressRange.ts';
import { metricsSchema } from './metricsSchema.ts';
import { DEFAULT_NOTICES, noticesSchema } from './noticesSchema.ts';
import { stateSchema } from './stateSchema.ts';

const milliseconds = (description: string, example: number) => number().integer().min(1).max(86_400_000).required().meta({ description, example });
const limit = (description: string, points: number) => object({
  points: number().integer().min(1).required().meta({ description: 'Wrong passwords until further ones are refused unseen', example: points }),
  windowSeconds: number().integer().min(1).required().meta({ description: 'Seconds in which they are counted', example: 900 }),
}).noUnknown().required().meta({ description });
const seconds = number().integer().min(1).max(86_400).required();
const mailServer = (description: string) => object({
  host: string().min(1).max(253).required().meta({ description: 'As people type it into their mail program', example: 'imap.example.com' }),
  port: number().integer().min(1).max(65_535).required().meta({ description: 'Port', example: 993 }),
  encryption: string().oneOf(['tls', 'starttls', 'none'] as const).required().meta({ description: 'tls (from the start), starttls or none', example: 'tls' }),
}).noUnknown().default(undefined).optional().meta({ description });
const trustedProxies = mixed<boolean | string[]>((value): value is boolean | string[] => typeof value === 'boolean' || Array.isArray(value))
  .required()
  .test('ranges', 'false, true, or a list of IP addresses and ranges such as 10.0.0.0/8 was expected', (own) => typeof own === 'boolean' || (Array.isArray(own) && own.every((range) => typeof range === 'string' && isAddressRange(range))))
  .meta({ description: 'Whose X-Forwarded-For, -Proto and -Host are believed: addresses and ranges of your proxies. true believes everybody: only where nobody but a proxy can reach the port', example: ['127.0.0.1', '10.0.0.0/8'] });
/** A driver's own options are judged by the driver's schema. */
const driverName = (example: string) => string().required().meta({ description: 'Name of the driver; its own options stand beside', example });

/** The whole configuration, strict: an unknown key or a wrong type does not start (I9). Durations are milliseconds. */
export const configSchema = object({
  server: object({
    host: string().required().meta({ description: 'Address to listen on', example: '127.0.0.1' }),
    port: number().integer().min(0).max(65_535).required().meta({ description: 'Port; 0 takes a free one', example: 8080 }),
    basePath: string().matches(/^\/[a-z0-9/_-]*[a-z0-9]$/i).required().meta({ description: 'Path of the service on its host', example: '/mailbox-password' }),
    publicUrl: string().url().nullable().defined().meta({ description: 'The address people see, behind a proxy', example: 'https://mail.example.com' }),
    drainMs: number().integer().min(0).max(600_000).required().meta({ description: 'Milliseconds after the signal to end in which /readyz says no and requests are still served, so that a load balancer goes elsewhere', example: 10_000 }),
    shutdownMs: milliseconds('Milliseconds after that in which requests under way may end', 30_000),
    maxConcurrentRequests: number().integer().min(1).max(100_000).required().meta({ description: 'Requests under way above which more are refused (OVERLOADED)', example: 200 }),
    trustProxy: trustedProxies,
  }).noUnknown().required().meta({ description: 'Where the service listens and how people reach it' }),
  dataDir: string().min(1).required().meta({ description: 'Folder for databases', example: '/var/lib/mailbox-password' }),
  state: stateSchema,
  host: object({ driver: driverName('groupOffice') }).required().meta({ description: 'The webmail that says who is calling' }),
  accounts: array(object({
    driver: driverName('sql'),
    domains: array(string().required()).min(1).required().meta({ description: 'Domains whose mailboxes are here; ["*"] = all that no other entry names', example: ['example.com'] }),
    verify: object({ driver: driverName('imap') }).default(undefined).optional().meta({ description: 'Who verifies the current password, where the account API can set passwords and not verify them', example: { driver: 'imap', host: 'imap.example.com' } }),
  }).required()).min(1).required().meta({ description: 'Where mailbox passwords live; the domain of a mailbox decides which entry is asked' }),
  sessions: array(object({
    driver: driverName('dovecot'),
    name: string().matches(/^[a-z0-9-]{1,40}$/, 'a name has 1 to 40 of a-z, 0-9 and -').required().meta({ description: 'Its name in log lines and metrics', example: 'mail' }),
  }).required()).min(1).required().meta({ description: 'Every place where people are logged in; a change ends the sessions of all of them' }),
  policy: object({
    preset: string().oneOf(Object.keys(POLICY_PRESETS)).required().meta({ description: 'What holds where no key below says otherwise: default (8 characters, four classes) or nist (15 characters, no classes)', example: 'default' }),
    minLength: number().integer().min(1).max(256).meta({ description: 'Characters at least', example: 12 }),
    maxLength: number().integer().min(1).max(1024).meta({ description: 'Characters at most', example: 128 }),
    maxBytes: number().integer().min(1).nullable().meta({ description: 'UTF-8 bytes at most, for back ends that count bytes; null = no limit', example: 72 }),
    requiredClasses: array(string().oneOf(CHARACTER_CLASSES).required()).meta({ description: 'Classes of which at least one character is needed', example: ['upper', 'lower', 'digit'] }),
    forbidAddress: boolean().meta({ description: 'Refuse a password that holds the address or a part of it', example: true }),
    forbidCurrent: boolean().meta({ description: 'Refuse the current password', example: true }),
    forbidCommon: boolean().meta({ description: 'Refuse passwords that many people use', example: true }),
    minStrength: number().integer().min(0).max(4).meta({ description: 'zxcvbn score, 0 = off', example: 3 }),
  }).noUnknown().required().meta({ description: 'What a new password must be' }).test('coherent', 'minLength must not be above maxLength or maxBytes, nor below the number of required classes', (own) => {
    const preset = POLICY_PRESETS[own.preset === 'nist' ? 'nist' : 'default'];
    const minLength = own.minLength ?? preset.minLength;
    const maxLength = own.maxLength ?? preset.maxLength;
    return minLength <= Math.min(maxLength, own.maxBytes ?? maxLength) && (own.requiredClasses ?? preset.requiredClasses).length <= minLength;
  }),
  serverRules: array(object({ driver: driverName('haveIBeenPwned') }).required()).required()
    .meta({ description: 'Rules that only the server can judge: breach lists and the history; shown in the checklist. None by default' }),
  notify: object({ driver: driverName('smtp') }).nullable().defined().meta({ description: 'Who sends notices by e-mail; null = no notices' }),
  notices: noticesSchema,
  rateLimit: object({
    wrongPasswordsPerMailbox: limit('Wrong passwords for one mailbox', 10), wrongPasswordsPerAddress: limit('Wrong passwords from one client address', 30),
    redis: object({
      url: string().matches(/^rediss?:\/\//, 'redis://... or rediss://... was expected').required().meta({ description: 'Redis: redis://... or rediss://...', example: { file: '/etc/mailbox-password/redis.url' }, secret: true }),
      tls: object({
        ca: string().min(1).meta({ description: 'File with the certificates (PEM) that are trusted; the system\'s where it is left out', example: '/etc/ssl/certs/redis-ca.pem' }),
        verify: boolean().meta({ description: 'Check the server\'s certificate and name; false only for trying things out (default true)', example: true }),
      }).noUnknown().default(undefined).optional().meta({ description: 'TLS beyond what rediss:// means', example: '{ ca: /etc/ssl/certs/redis-ca.pem }' }),
      connectTimeoutMs: number().integer().min(100).max(60_000).meta({ description: 'Milliseconds to wait for a connection (default 3000)', example: 3000 }),
    }).noUnknown().nullable().defined().default(undefined).meta({ description: 'Where wrong passwords are counted; null = in the state database' }),
  }).noUnknown().required().meta({ description: 'How many wrong passwords are taken' }),
  timeouts: object({
    accountsMs: milliseconds('Milliseconds for one question to the account API', 10_000),
    sessionsMs: milliseconds('Milliseconds for one question to a session store', 5_000),
    hostMs: milliseconds('Milliseconds for one question to the webmail', 5_000),
  }).noUnknown().required().meta({ description: 'How long an answer is waited for' }),
  revocation: object({
    firstDelayMs: milliseconds('Milliseconds until a log-out that failed is tried again; doubled at each try', 1_000),
    maxDelayMs: milliseconds('Milliseconds between two tries at most', 300_000),
    leaseMs: milliseconds('Milliseconds after which another node takes over what a dead one was at', 30_000),
    pollMs: milliseconds('Milliseconds between two looks at what is due', 1_000),
    alertAfterMs: milliseconds('Milliseconds after which an owed log-out is an alarm in the log and in /readyz', 60_000),
  }).noUnknown().required().meta({ description: 'Retries of log-outs that a session store did not take' }),
  audit: object({
    keepDays: number().integer().min(1).max(36_500).nullable().defined().meta({ description: 'Days after which rows of the audit log are deleted, for good; null = never', example: 730 }),
  }).noUnknown().required().meta({ description: 'The history of who changed, set and ended what' }),
  metrics: metricsSchema,
  log: object({
    level: string().oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).required().meta({ description: 'Least serious line that is written', example: 'info' }),
  }).noUnknown().required().meta({ description: 'The log, JSON lines on the standard error output' }),
  locales: object({ dir: string().nullable().defined().meta({ description: 'Folder with texts of your own', example: '/etc/mailbox-password/locales' }) }).noUnknown().required().meta({ description: 'Texts that people read' }),
  panels: object({
    user: object({
      enabled: boolean().required().meta({ description: 'Serve the User Panel', example: true }),
      idleSeconds: seconds.meta({ description: 'Log out after so long without a request', example: 900 }),
      absoluteSeconds: seconds.meta({ description: 'Log out so long after the log-in', example: 28_800 }),
      reauthenticateAfterSeconds: number().integer().min(0).max(3600).required().meta({ description: 'Ask for the current password again so long after the log-in; 0 = always', example: 300 }),
    }).noUnknown().required().meta({ description: 'The User Panel, for owners without the webmail' }),
    admin: object({
      enabled: boolean().required().meta({ description: 'Serve the Admin Panel; it also needs an administrator', example: true }),
      idleSeconds: seconds.meta({ description: 'Log out after so long without a request', example: 900 }),
      absoluteSeconds: seconds.meta({ description: 'Log out so long after the log-in', example: 28_800 }),
    }).noUnknown().required().meta({ description: 'The Admin Panel' }),
  }).noUnknown().required().meta({ description: 'Pages of their own, with a log-in of their own' }),
  administrators: array(object({
    name: string().matches(/^[a-z0-9._@-]{1,64}$/i).required().meta({ description: 'What the administrator logs in with', example: 'admin' }),
    passwordHash: string().matches(/^\$argon2id\$v=19\$/, 'an Argon2id hash was expected').required().meta({ description: 'Argon2id, made on the command line', example: '$argon2id$v=19$m=19456,t=2,p=1$...', secret: true }),
    domains: array(string().min(1).required()).min(1).required().meta({ description: 'Domains that this administrator may reach; ["*"] = all', example: ['example.com'] }),
  }).noUnknown().required()).required().test('names', 'two administrators have the same name', (own) => new Set(own.map(({ name }) => name?.toLowerCase())).size === own.length)
    .meta({ description: 'Who may log in to the Admin Panel' }),
  mailSettings: object({ imap: mailServer('IMAP'), pop3: mailServer('POP3'), smtp: mailServer('Outgoing mail') }).noUnknown().nullable().defined()
    .meta({ description: 'What people enter in their mail program; shown in the User Panel', example: { imap: { host: 'imap.example.com', port: 993, encryption: 'tls' } } }),
  readOnly: boolean().required().meta({ description: 'Maintenance: show everything, change nothing', example: false }),
}).noUnknown().required();

export type Config = InferType<typeof configSchema>;

/** An empty configuration is a working embedded host, for trying things out. */
export const DEFAULT_CONFIG: Config = {
  server: { host: '127.0.0.1', port: 8080, basePath: '/mailbox-password', publicUrl: null, drainMs: 0, shutdownMs: 30_000, maxConcurrentRequests: 200, trustProxy: false },
  dataDir: './data',
  state: { url: null, previousUrl: null, tls: null },
  host: { driver: 'embedded' },
  accounts: [{ driver: 'embedded', domains: ['*'] }],
  sessions: [{ driver: 'embedded', name: 'web' }],
  policy: { preset: 'default' },
  serverRules: [],
  notify: null,
  notices: DEFAULT_NOTICES,
  rateLimit: { wrongPasswordsPerMailbox: { points: 10, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 30, windowSeconds: 900 }, redis: null },
  timeouts: { accountsMs: 10_000, sessionsMs: 5_000, hostMs: 5_000 },
  revocation: { firstDelayMs: 1_000, maxDelayMs: 300_000, leaseMs: 30_000, pollMs: 1_000, alertAfterMs: 60_000 },
  audit: { keepDays: null },
  metrics: { port: null, host: '127.0.0.1', tokens: [], allow: [] },
  log: { level: 'info' },
  locales: { dir: null },
  panels: {
    user: { enabled: true, idleSeconds: 900, absoluteSeconds: 28_800, reauthenticateAfterSeconds: 300 },
    admin: { enabled: true, idleSeconds: 900, absoluteSeconds: 28_800 },
  },
  administrators: [],
  mailSettings: null,
  readOnly: false,
};
