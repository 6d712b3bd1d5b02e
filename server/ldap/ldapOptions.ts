import { array, boolean, type InferType, number, object, string } from 'yup';
import { fillFilter, placeholdersOf } from './ldapTemplate.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const KNOWN = ['address', 'local', 'domain'];

/** Null where it is no URL of a directory that may be configured. */
export function parseLdapUrl(text: string): URL | null {
  try {
    const url = new URL(text);
    const bare = url.username === '' && url.password === '' && url.search === '' && url.hash === '' && /^\/?$/.test(url.pathname);
    return /^ldaps?:$/.test(url.protocol) && url.hostname !== '' && bare ? url : null;
  } catch {
    return null;
  }
}

const attribute = () => string().matches(/^[A-Za-z][A-Za-z0-9-]*$/, '${path} must be the name of an attribute');
const template = (names: readonly string[]) => string().min(1)
  .test('placeholders', `\${path} can speak of ${names.map((name) => `{${name}}`).join(', ')} and nothing else in braces`, (text) => text === undefined || placeholdersOf(text).every((name) => names.includes(name)));
const filterTemplate = (names: readonly string[]) => template(names).test('filter', '${path} must be an LDAP filter (RFC 4515)', (text) => {
  try {
    if (text !== undefined) fillFilter(text, { address: 'x', local: 'x', domain: 'x' });
    return true;
  } catch {
    return false;
  }
});

/** Options of the driver `ldap`; `docs/drivers/accounts-ldap.md` explains them. */
export const ldapOptions = object({
  url: string().required().test('url', 'url must be ldaps://host[:port] or ldap://host[:port]', (value) => parseLdapUrl(value) !== null)
    .meta({ description: 'The directory', example: 'ldaps://ldap.example.com' }),
  startTls: boolean().meta({ description: 'With ldap://: encrypt by StartTLS before anything else is said (default false)', example: true }),
  insecure: boolean().meta({ description: 'Allow an unencrypted connection to another machine; only for trying things out (default false)', example: false }),
  caFile: string().min(1).meta({ description: 'File with the certificates (PEM) that are trusted instead of the system\'s', example: '/etc/ssl/certs/ldap-ca.pem' }),
  bindDn: string().min(1).meta({ description: 'The service\'s own entry, which may search and, for administrators, set passwords; left out: searched anonymously', example: 'cn=mailbox-password,ou=services,dc=example,dc=com' }),
  bindPassword: string().min(1).meta({ secret: true, description: 'Its password', example: '{ file: /etc/mailbox-password/ldap.password }' }),
  allowSet: boolean().meta({ description: 'Whether bindDn may set passwords (default true where there is a bindDn)', example: true }),
  requireChange: boolean().meta({ description: 'Whether administrators can ask for a new password at the next log-in: bindDn writes pwdReset of OpenLDAP\'s password policy (default false)', example: true }),
  base: template(['domain']).meta({ description: 'Where mailboxes are looked for; {domain} may stand in it', example: 'ou=people,dc=example,dc=com' }),
  scope: string().oneOf(['one', 'sub'] as const).meta({ description: 'How deep below base (default sub)', example: 'sub' }),
  filter: filterTemplate(KNOWN).meta({ description: 'Which entry is the mailbox; {address}, {local} and {domain} are escaped', example: '(&(objectClass=inetOrgPerson)(mail={address}))' }),
  dn: template(KNOWN).meta({ description: 'Instead of filter: the mailbox\'s entry itself', example: 'uid={local},ou=people,dc=example,dc=com' }),
  listFilter: filterTemplate(['domain']).meta({ description: 'Narrows the list of mailboxes further (default: everything that has an address)', example: '(objectClass=inetOrgPerson)' }),
  attributes: object({
    address: attribute().meta({ description: 'Holds the whole address (default mail)', example: 'mail' }),
    local: attribute().meta({ description: 'Instead of address: holds the part before the @', example: 'uid' }),
    displayName: attribute().meta({ description: 'Holds the owner\'s name (default cn)', example: 'cn' }),
    recoveryAddress: attribute().meta({ description: 'Holds another address of the owner, for notices', example: 'mailAlternateAddress' }),
    language: attribute().meta({ description: 'Holds the owner\'s language, for notices', example: 'preferredLanguage' }),
    enabled: attribute().meta({ description: 'Tells who may log in', example: 'accountStatus' }),
  }).noUnknown().default(undefined).meta({ description: 'Attributes of a mailbox\'s entry' }),
  enabledValues: array(string().required()).min(1).meta({ description: 'Values of attributes.enabled that mean yes, without regard to case (default TRUE, 1, yes, active); an entry without the attribute may log in', example: ['active'] }),
  listDomains: object({
    base: string().min(1).required().meta({ description: 'Where domains are looked for', example: 'ou=domains,dc=example,dc=com' }),
    filter: filterTemplate([]).meta({ description: 'Which entries are domains', example: '(objectClass=dNSDomain)' }),
    attribute: attribute().required().meta({ description: 'Holds the domain\'s name', example: 'dc' }),
  }).noUnknown().default(undefined).meta({ description: 'Where the list of domains comes from; left out: from the addresses below base' }),
  decoyDn: string().min(1).meta({ description: 'An entry whose password nobody knows: asked in place of a mailbox that is not there, so that the time tells nothing', example: 'cn=decoy,ou=services,dc=example,dc=com' }),
  maxPasswordBytes: number().integer().min(8).max(4096).nullable().meta({ description: 'UTF-8 bytes that the directory takes without cutting (72 where it stores bcrypt); null: no limit', example: null }),
  connectTimeoutMs: number().integer().min(100).max(60_000).meta({ description: 'Milliseconds until a connection stands, TLS included (default 3000)', example: 3000 }),
}).noUnknown()
  .test('encrypted', 'url must be ldaps://, or ldap:// with startTls: true, unless it is on this machine, or insecure: true', (own) => {
    const url = parseLdapUrl(own.url);
    return url === null || url.protocol === 'ldaps:' || own.startTls === true || LOOPBACK.test(url.hostname) || own.insecure === true;
  })
  .test('startTls', 'startTls goes with ldap://; ldaps:// is encrypted from the start', (own) => own.startTls !== true || !own.url.startsWith('ldaps:'))
  .test('service', 'bindDn and bindPassword go together', (own) => (own.bindDn === undefined) === (own.bindPassword === undefined))
  .test('allowSet', 'allowSet: true needs bindDn', (own) => own.allowSet !== true || own.bindDn !== undefined)
  .test('requireChange', 'requireChange: true needs bindDn, and allowSet must not be false', (own) => own.requireChange !== true || (own.bindDn !== undefined && own.allowSet !== false))
  .test('where', 'give base and filter, or dn', (own) => (own.filter === undefined ? own.dn !== undefined : own.dn === undefined && own.base !== undefined))
  .test('names', 'attributes.local stands instead of attributes.address', (own) => own.attributes?.local === undefined || own.attributes.address === undefined)
  .test('which', 'filter must use {address} or {local}, dn {address} or {local}', (own) => placeholdersOf(own.filter ?? own.dn ?? '{local}').some((name) => name !== 'domain'))
  .test('domain', 'with attributes.local, {domain} must stand in base, filter or dn: else everybody is in every domain', (own) =>
    own.attributes?.local === undefined || [own.base, own.filter, own.dn].some((text) => text !== undefined && /\{(domain|address)\}/.test(text)));

export type LdapOptions = InferType<typeof ldapOptions>;
