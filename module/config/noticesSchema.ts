import { boolean, number, object, string } from 'yup';

/** One address of RFC 5321, plain ASCII: what stands in a From header and in an envelope. */
export const PLAIN_ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
/** A line of text without line ends and other control characters. */
const ONE_LINE = /^[^\p{Cc}\p{Zl}\p{Zp}]*$/u;
const milliseconds = (description: string, example: number) => number().integer().min(1).max(86_400_000).required().meta({ description, example });

function isTimeZone(name: string | null | undefined): boolean {
  if (name === null || name === undefined) return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** What notices say and how long they are tried; who sends them is `notify`. */
export const noticesSchema = object({
  from: object({
    name: string().max(100).matches(ONE_LINE, '${path} must be one line').required().meta({ description: 'Name of the sender', example: 'Example Mail' }),
    address: string().matches(PLAIN_ADDRESS, '${path} must be one plain e-mail address').required().meta({ description: 'Address of the sender; bounces go there', example: 'no-reply@example.com' }),
  }).noUnknown().nullable().defined().meta({ description: 'Sender of notices; needed where `notify` is set' }),
  support: string().max(300).matches(ONE_LINE, '${path} must be one line').nullable().defined()
    .meta({ description: 'How people reach you, as it stands in a notice; null = only "your provider"', example: 'support@example.com, +31 20 123 4567' }),
  defaultLanguage: string().matches(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, '${path} must be a language tag').required()
    .meta({ description: 'Language where the owner\'s is not known', example: 'en' }),
  timeZone: string().nullable().defined().test('time-zone', '${path} must be a time zone such as Europe/Amsterdam', isTimeZone)
    .meta({ description: 'Time zone of the times in notices; null = that of the server', example: 'Europe/Amsterdam' }),
  showAdministrator: boolean().required().meta({ description: 'Say the administrator\'s name', example: false }),
  templatesDir: string().min(1).nullable().defined().meta({ description: 'Folder with templates of your own', example: '/etc/mailbox-password/notices' }),
  expireAfterHours: number().integer().min(1).max(720).required().meta({ description: 'A notice that could not be sent for so long is given up, with a log line', example: 72 }),
  firstDelayMs: milliseconds('Milliseconds until a notice that was not taken is tried again; doubled at each try', 30_000),
  maxDelayMs: milliseconds('Milliseconds between two tries at most', 1_800_000),
  timeoutMs: milliseconds('Milliseconds for one try', 30_000),
}).noUnknown().required().meta({ description: 'E-mail notices after a change, a set and a log-out by an administrator' });

export const DEFAULT_NOTICES = {
  from: null, support: null, defaultLanguage: 'en', timeZone: null, showAdministrator: false, templatesDir: null,
  expireAfterHours: 72, firstDelayMs: 30_000, maxDelayMs: 1_800_000, timeoutMs: 30_000,
};
