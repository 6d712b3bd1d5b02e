import { array, boolean, mixed, number, object, string } from 'yup';
import { ERRORS } from '../../module/errors.ts';
import { OPERATIONS, type OperationName, type Operations, speaksOf } from './describedApi.ts';
import { HTTP_PRESETS, type HttpPresetName } from './presets.ts';
import { namesIn, type Placeholder } from './template.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** Set by the driver itself, or deciding where and how the request goes. */
const OWN_HEADERS = /^(host|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|cookie|proxy-.*)$/i;
const SECRETS = ['password', 'currentPassword'];

/** What each operation can speak of. */
const KNOWN: Readonly<Record<OperationName, readonly Placeholder[]>> = {
  check: [],
  find: ['address', 'local', 'domain'],
  verify: ['address', 'local', 'domain', 'password'],
  change: ['address', 'local', 'domain', 'password', 'currentPassword'],
  set: ['address', 'local', 'domain', 'password', 'mark', 'version'],
  requireChange: ['address', 'local', 'domain', 'mark'],
  listDomains: ['search'],
  listMailboxes: ['domain', 'search', 'cursor', 'limit'],
};

/** Null where it is no base URL that may be configured. */
function parseBaseUrl(text: string): URL | null {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.hash === '' && url.search === '' ? url : null;
  } catch {
    return null;
  }
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const headers = (description: string) => mixed<Record<string, string>>()
  .test('headers', '${path} must map header names to texts of visible ASCII, without Host, Cookie and what the connection itself needs', (value) => value === undefined
    || (isMap(value) && Object.entries(value).every(([name, text]) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !OWN_HEADERS.test(name)
      && typeof text === 'string' && /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text))))
  .meta({ secret: true, description, example: { 'X-API-Key': '{ file: /etc/mailbox-password/provider.key }' } });

const pointer = () => string().defined().matches(/^(\/([^~/]|~[01])*)*$/, { message: '${path} must be a JSON pointer: /data/0/name; * for every element; empty for the whole', excludeEmptyString: false });
const optionalPointer = () => string().matches(/^(\/([^~/]|~[01])*)*$/, '${path} must be a JSON pointer: /data/name');
/** `mixed()` refuses null, which is a JSON value like any other here. */
const anyJson = () => mixed().nullable();
const simpleJson = () => mixed().nullable().test('simple', '${path} must be a text, a number, true, false or null', (value) => value === undefined || typeof value !== 'object' || value === null);
const statuses = () => array(number().integer().min(200).max(599).required()).min(1);

const condition = object({
  pointer: pointer(), equals: anyJson(), contains: string(), oneOf: array(anyJson()).min(1),
}).noUnknown().test('one', '${path} needs exactly one of equals, contains, oneOf', (own) => ['equals', 'contains', 'oneOf'].filter((key) => (own as Record<string, unknown>)[key] !== undefined).length === 1);

const errorRule = object({
  status: statuses().optional(), where: array(condition.required()).min(1),
  code: string().oneOf(Object.keys(ERRORS).filter((code) => /^(CURRENT_PASSWORD_WRONG|PASSWORD_|ACCOUNT|OPERATION_NOT)/.test(code) && code !== 'PASSWORD_REJECTED')).required(),
}).noUnknown().test('some', '${path} needs status or where', (own) => own.status !== undefined || own.where !== undefined);

const flag = () => object({ pointer: pointer(), oneOf: array(anyJson()).min(1), absent: boolean() }).noUnknown().default(undefined);

const result = object({
  address: optionalPointer(), enabled: flag(), changeable: flag(), changeRequired: flag(), displayName: optionalPointer(), recoveryAddress: optionalPointer(), language: optionalPointer(), version: optionalPointer(),
  changedAt: object({ pointer: pointer(), format: string().oneOf(['milliseconds', 'seconds', 'iso'] as const) }).noUnknown().default(undefined),
}).noUnknown().default(undefined);

function operation(name: OperationName) {
  const known = new Set<string>(KNOWN[name]);
  const list = name === 'listDomains' || name === 'listMailboxes';
  return object({
    method: string().oneOf(['GET', 'POST', 'PUT', 'PATCH'] as const),
    path: string().required().matches(/^\/[\x21-\x7e]*$/, '${path} must start with / and be visible ASCII')
      .test('fragment', '${path} must have no # and no //', (value) => !/#|^\/\//.test(value ?? ''))
      .test('secret', '${path} must hold no password and no version: paths stand in log files', (value) => !namesIn(value).some((word) => SECRETS.includes(word) || word === 'version')),
    headers: headers('Headers of this request alone; they may be secret'),
    body: anyJson(),
    form: mixed<Record<string, string>>().test('form', '${path} must map names to texts', (value) => value === undefined || (isMap(value) && Object.values(value).every((text) => typeof text === 'string'))),
    success: object({ status: statuses(), where: array(condition.required()).min(1) }).noUnknown().default(undefined),
    errors: array(errorRule.required()),
    result,
    ...(name === 'verify' && { safe: boolean() }),
    ...((name === 'set' || name === 'requireChange') && { mark: object({ on: simpleJson(), off: simpleJson() }).noUnknown().default(undefined) }),
    ...(list && { items: list ? pointer() : string() }),
    ...(name === 'listDomains' && { name: pointer() }),
    ...(name === 'listMailboxes' && { nextCursor: optionalPointer() }),
  }).noUnknown().default(undefined)
    .test('names', 'unknown name in braces', (own, context) => {
      const of = own as { path?: string; body?: unknown; form?: unknown } | undefined;
      const unknown = namesIn([of?.path, of?.body, of?.form]).find((word) => !known.has(word));
      return unknown === undefined || context.createError({
        message: `${context.path} speaks of {${unknown}}; it can speak of ${[...known].map((word) => `{${word}}`).join(' ')}`,
      });
    })
    .test('payload', '${path} needs its placeholders, one of body and form at most, and none with GET', (own, context) => {
      const of = own as { method?: string; path?: string; body?: unknown; form?: unknown; result?: { address?: string } } | undefined;
      if (of === undefined) return true;
      const used = new Set(namesIn([of.path, of.body, of.form]));
      const need = name === 'change' ? SECRETS : name === 'verify' || name === 'set' ? ['password'] : name === 'requireChange' ? ['mark'] : name === 'listMailboxes' ? ['domain'] : [];
      const missing = need.find((word) => !used.has(word));
      if (missing !== undefined) return context.createError({ message: `${context.path} must send {${missing}}` });
      if (name !== 'check' && !list && !used.has('address') && !(used.has('local') && used.has('domain'))) {
        return context.createError({ message: `${context.path} must send {address}, or {local} and {domain}` });
      }
      if (name === 'listMailboxes' && of.result?.address === undefined) return context.createError({ message: `${context.path}.result.address is needed` });
      const hasPayload = of.body !== undefined || of.form !== undefined;
      if (of.body !== undefined && of.form !== undefined) return context.createError({ message: `${context.path}: body or form, not both` });
      return !(of.method === 'GET' && hasPayload) || context.createError({ message: `${context.path}: GET has no body` });
    });
}

const operations = object(Object.fromEntries(OPERATIONS.map((name) => [name, operation(name)]))).noUnknown().default(undefined)
  .meta({ description: `What is asked for what: ${OPERATIONS.join(', ')}; see the page. Each overrides the preset's`, example: { find: { path: '/users/{address}' } }, whole: true });

function allOperations(own: { preset?: HttpPresetName | undefined; operations?: unknown }): Operations {
  const preset = own.preset === undefined ? undefined : (HTTP_PRESETS[own.preset] as { operations: Operations } | undefined);
  return { ...preset?.operations, ...dropUndefined(own.operations as Operations | undefined) };
}

/** Options of the driver `http`; `docs/drivers/accounts-http.md` explains them. */
export const httpOptions = object({
  preset: string().oneOf(Object.keys(HTTP_PRESETS) as HttpPresetName[]).meta({ description: 'An API that is described already', example: 'mailcow' }),
  baseUrl: string().required()
    .test('url', 'baseUrl must be https://host[:port][/folder], without user name, password, query and fragment', (value) => parseBaseUrl(value) !== null)
    .meta({ description: 'Where the API answers', example: 'https://mail.example.com' }),
  insecure: boolean().meta({ description: 'Allow http:// to another machine; only for trying things out (default false)', example: false }),
  apiKey: string().matches(/^[\x21-\x7e]{8,4096}$/, 'apiKey must be 8 or more visible ASCII characters')
    .meta({ secret: true, description: 'Key for the API of the preset', example: '{ file: /etc/mailbox-password/provider.key }' }),
  headers: headers('Headers of every request, for example the key; values may be secret'),
  operations,
  timeoutMs: number().integer().min(100).max(120_000).meta({ description: 'Milliseconds for one call, connection included (default 10000)', example: 10_000 }),
  retries: number().integer().min(0).max(5).meta({ description: 'How often a call that changes nothing is asked again (default 1); one that changes never is', example: 1 }),
  maxAnswerBytes: number().integer().min(1024).max(16_777_216).meta({ description: 'Largest answer (default 262144)', example: 262_144 }),
  maxListBytes: number().integer().min(1024).max(268_435_456).meta({ description: 'Largest answer of a list (default 16777216)', example: 16_777_216 }),
  caFile: string().min(1).meta({ description: 'File with the certificates (PEM) that are trusted instead of the system\'s', example: '/etc/ssl/certs/provider-ca.pem' }),
  maxPasswordBytes: number().integer().min(8).max(4096).nullable().meta({ description: 'UTF-8 bytes that the back end takes; null: no limit', example: 72 }),
  refusedPasswords: array(string().required().test('expression', '${path} must be a regular expression', (text) => { try { new RegExp(text ?? '', 'iu'); return true; } catch { return false; } }))
    .meta({ description: 'Regular expressions: passwords that the API would take for something else', example: ['^\\{[A-Z0-9-]+\\}'] }),
}).noUnknown()
  .test('https', 'baseUrl must be https:// unless it is on this machine, or insecure: true', (own) => {
    const url = parseBaseUrl(own.baseUrl);
    return url === null || url.protocol === 'https:' || LOOPBACK.test(url.hostname) || own.insecure === true;
  })
  .test('key', 'apiKey belongs to a preset; without one, give headers', (own) => own.apiKey === undefined || own.preset !== undefined)
  .test('abilities', 'describe set or change, and one of find, check and listDomains (or name a preset)', (own) => {
    const all = allOperations(own);
    return (all.set !== undefined || all.change !== undefined) && (all.find ?? all.check ?? all.listDomains) !== undefined;
  })
  .test('mark', 'requireChange needs find.result.changeRequired, and {mark} in set: a set without the mark takes it away', (own) => {
    const all = allOperations(own);
    return all.requireChange === undefined || (all.find?.result?.changeRequired !== undefined && (all.set === undefined || speaksOf(all.set, 'mark')));
  });

/** What is left out does not override. */
export const dropUndefined = (given: Operations | undefined): Operations =>
  Object.fromEntries(Object.entries(given ?? {}).filter(([, described]) => described !== undefined));

