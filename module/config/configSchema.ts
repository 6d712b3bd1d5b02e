import { array, boolean, type InferType, number, object, string } from 'yup';
import { CHARACTER_CLASSES, POLICY_PRESETS } from '../policy/passwordPolicy.ts';

const milliseconds = number().integer().min(1).max(86_400_000).required();
const limit = object({ points: number().integer().min(1).required(), windowSeconds: number().integer().min(1).required() })
  .noUnknown()
  .required();
const seconds = number().integer().min(1).max(86_400).required();
const mailServer = object({
  host: string().min(1).max(253).required().meta({ description: 'As people type it into their mail program', example: 'imap.example.com' }),
  port: number().integer().min(1).max(65_535).required().meta({ description: 'Port', example: 993 }),
  encryption: string().oneOf(['tls', 'starttls', 'none'] as const).required().meta({ description: 'tls (from the start), starttls or none', example: 'tls' }),
}).noUnknown().default(undefined).optional();
/** A driver's own options are judged by the driver's schema. */
const driver = object({ driver: string().required() }).required();

/** The whole configuration, strict: an unknown key or a wrong type does not start (I9). Durations are milliseconds. */
export const configSchema = object({
  server: object({
    host: string().required().meta({ description: 'Address to listen on', example: '127.0.0.1' }),
    port: number().integer().min(0).max(65_535).required().meta({ description: 'Port; 0 takes a free one', example: 8080 }),
    basePath: string().matches(/^\/[a-z0-9/_-]*[a-z0-9]$/i).required().meta({ description: 'Path of the service on its host', example: '/mailbox-password' }),
    publicUrl: string().url().nullable().defined().meta({ description: 'The address people see, behind a proxy', example: 'https://mail.example.com' }),
    trustProxy: boolean().required().meta({ description: 'Take the client address from X-Forwarded-For', example: false }),
  }).noUnknown().required(),
  dataDir: string().min(1).required().meta({ description: 'Folder for databases', example: '/var/lib/mailbox-password' }),
  state: object({
    url: string().min(1).nullable().defined().meta({ description: 'Database of the module itself where several nodes share it: mysql://... or postgres://...; null = SQLite in dataDir', example: { file: '/etc/mailbox-password/state.url' }, secret: true }),
  }).noUnknown().required(),
  host: driver,
  accounts: array(object({ driver: string().required(), domains: array(string().required()).min(1).required() }).required()).min(1).required(),
  sessions: array(object({ driver: string().required(), name: string().matches(/^[a-z0-9-]{1,40}$/).required() }).required()).min(1).required(),
  policy: object({
    preset: string().oneOf(Object.keys(POLICY_PRESETS)).required(),
    minLength: number().integer().min(1).max(256),
    maxLength: number().integer().min(1).max(1024),
    maxBytes: number().integer().min(1).nullable(),
    requiredClasses: array(string().oneOf(CHARACTER_CLASSES).required()),
    forbidAddress: boolean(),
    forbidCurrent: boolean(),
    forbidCommon: boolean(),
    minStrength: number().integer().min(0).max(4).meta({ description: 'zxcvbn score, 0 = off', example: 3 }),
  }).noUnknown().required().test('coherent', 'minLength must not be above maxLength or maxBytes, nor below the number of required classes', (own) => {
    const preset = POLICY_PRESETS[own.preset === 'nist' ? 'nist' : 'default'];
    const minLength = own.minLength ?? preset.minLength;
    const maxLength = own.maxLength ?? preset.maxLength;
    return minLength <= Math.min(maxLength, own.maxBytes ?? maxLength) && (own.requiredClasses ?? preset.requiredClasses).length <= minLength;
  }),
  rateLimit: object({ wrongPasswordsPerMailbox: limit, wrongPasswordsPerAddress: limit }).noUnknown().required(),
  timeouts: object({ accountsMs: milliseconds, sessionsMs: milliseconds, hostMs: milliseconds }).noUnknown().required(),
  revocation: object({ firstDelayMs: milliseconds, maxDelayMs: milliseconds, leaseMs: milliseconds, pollMs: milliseconds, alertAfterMs: milliseconds }).noUnknown().required(),
  log: object({ level: string().oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).required() }).noUnknown().required(),
  locales: object({ dir: string().nullable().defined().meta({ description: 'Folder with texts of your own', example: '/etc/mailbox-password/locales' }) }).noUnknown().required(),
  panels: object({
    user: object({
      enabled: boolean().required().meta({ description: 'Serve the User Panel', example: true }),
      idleSeconds: seconds.meta({ description: 'Log out after so long without a request', example: 900 }),
      absoluteSeconds: seconds.meta({ description: 'Log out so long after the log-in', example: 28_800 }),
      reauthenticateAfterSeconds: number().integer().min(0).max(3600).required().meta({ description: 'Ask for the current password again so long after the log-in; 0 = always', example: 300 }),
    }).noUnknown().required(),
    admin: object({
      enabled: boolean().required().meta({ description: 'Serve the Admin Panel; it also needs an administrator', example: true }),
      idleSeconds: seconds.meta({ description: 'Log out after so long without a request', example: 900 }),
      absoluteSeconds: seconds.meta({ description: 'Log out so long after the log-in', example: 28_800 }),
    }).noUnknown().required(),
  }).noUnknown().required(),
  administrators: array(object({
    name: string().matches(/^[a-z0-9._@-]{1,64}$/i).required().meta({ description: 'What the administrator logs in with', example: 'admin' }),
    passwordHash: string().matches(/^\$argon2id\$v=19\$/, 'an Argon2id hash was expected').required().meta({ description: 'Argon2id, made on the command line', example: '$argon2id$v=19$m=19456,t=2,p=1$...', secret: true }),
    domains: array(string().min(1).required()).min(1).required().meta({ description: 'Domains that this administrator may reach; ["*"] = all', example: ['example.com'] }),
  }).noUnknown().required()).required().test('names', 'two administrators have the same name', (own) => new Set(own.map(({ name }) => name?.toLowerCase())).size === own.length),
  mailSettings: object({ imap: mailServer, pop3: mailServer, smtp: mailServer }).noUnknown().nullable().defined()
    .meta({ description: 'What people enter in their mail program; shown in the User Panel', example: { imap: { host: 'imap.example.com', port: 993, encryption: 'tls' } } }),
  readOnly: boolean().required().meta({ description: 'Maintenance: show everything, change nothing', example: false }),
}).noUnknown().required();

export type Config = InferType<typeof configSchema>;

/** An empty configuration is a working embedded host, for trying things out. */
export const DEFAULT_CONFIG: Config = {
  server: { host: '127.0.0.1', port: 8080, basePath: '/mailbox-password', publicUrl: null, trustProxy: false },
  dataDir: './data',
  state: { url: null },
  host: { driver: 'embedded' },
  accounts: [{ driver: 'embedded', domains: ['*'] }],
  sessions: [{ driver: 'embedded', name: 'web' }],
  policy: { preset: 'default' },
  rateLimit: { wrongPasswordsPerMailbox: { points: 10, windowSeconds: 900 }, wrongPasswordsPerAddress: { points: 30, windowSeconds: 900 } },
  timeouts: { accountsMs: 10_000, sessionsMs: 5_000, hostMs: 5_000 },
  revocation: { firstDelayMs: 1_000, maxDelayMs: 300_000, leaseMs: 30_000, pollMs: 1_000, alertAfterMs: 60_000 },
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
