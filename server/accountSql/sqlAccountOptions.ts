import { number, object, string } from 'yup';
import { WRITE_SCHEMES } from '../hashing/hasher.ts';
import { isNamedForTls, SQL_TLS_NAME, sqlConnectTimeoutMs, sqlPoolSize, sqlPreviousUrl, sqlQueryTimeoutMs, sqlTls, sqlUrl } from '../sql/sqlOptions.ts';
import { parametersOf } from '../sql/statement.ts';
import { ACCOUNT_PRESETS, type AccountTable, type PresetName } from './accountTable.ts';

const name = () => string().matches(/^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$/, '${path} must be a plain name');
const uses = (...wanted: string[]) => (statement: string | undefined) => statement === undefined || wanted.every((parameter) => parametersOf(statement).includes(parameter));

/** Options of the account driver `sql`; `docs/drivers/accounts-sql.md` explains them. */
export const sqlAccountOptions = object({
  url: sqlUrl, previousUrl: sqlPreviousUrl, tls: sqlTls, poolSize: sqlPoolSize, connectTimeoutMs: sqlConnectTimeoutMs, queryTimeoutMs: sqlQueryTimeoutMs,
  preset: string().oneOf(Object.keys(ACCOUNT_PRESETS) as PresetName[]).meta({ description: 'A common schema; every key below overrides it', example: 'postfixadmin' }),
  table: name().meta({ description: 'Table of mailboxes', example: 'mailbox' }),
  columns: object({
    address: name().meta({ description: 'Column of the whole address', example: 'username' }),
    local: name().meta({ description: 'Column of the part before the @, where the address is in two columns', example: 'username' }),
    domain: name().meta({ description: 'Column of the domain', example: 'domain' }),
    password: name().meta({ description: 'Column of the hash', example: 'password' }),
    enabled: name().meta({ description: 'Column that is 1, Y, T or true where the mailbox may log in', example: 'active' }),
    displayName: name().meta({ description: 'Column of the owner\'s name', example: 'name' }),
    recoveryAddress: name().meta({ description: 'Column of another address of the owner, for notices', example: 'email_other' }),
    language: name().meta({ description: 'Column of the owner\'s language (nl, pt-BR, nl_NL), for notices', example: 'language' }),
    changedAt: name().meta({ description: 'Column that gets the time of each change', example: 'password_changed' }),
    changeRequired: name().meta({ description: 'Column that is 1 or true where the owner is to choose a new password at the next log-in', example: 'must_change' }),
  }).noUnknown().default(undefined).meta({ description: 'Columns' }),
  changedAtFormat: string().oneOf(['seconds', 'milliseconds', 'datetime'] as const).meta({ description: 'What `changedAt` holds (UTC)', example: 'datetime' }),
  domains: object({
    table: name().required().meta({ description: 'Table of the domains', example: 'domain' }), column: name().required().meta({ description: 'Its column', example: 'domain' }),
  }).noUnknown().default(undefined)
    .meta({ description: 'Table and column that list the domains', example: '{ table: domain, column: domain }' }),
  statements: object({
    find: string().required().test('parameters', 'statements.find must use :address, or :local and :domain', (text) => uses('address')(text) || uses('local', 'domain')(text)),
    requireChange: string().test('parameters', 'statements.requireChange must use :changeRequired', uses('changeRequired')),
    update: string().required().test('parameters', 'statements.update must use :hash and :oldHash (two changes at once: one wins)', uses('hash', 'oldHash')),
    listDomains: string().test('parameters', 'statements.listDomains must use :search', uses('search')),
    listMailboxes: string().test('parameters', 'statements.listMailboxes must use :domain, :search, :after and :limit', uses('domain', 'search', 'after', 'limit')),
  }).noUnknown().default(undefined).meta({ description: 'SQL of your own instead of table and columns', example: { find: 'SELECT ...', update: 'UPDATE ...' }, whole: true }),
  scheme: string().oneOf(WRITE_SCHEMES).meta({ description: 'Scheme of new hashes (Dovecot\'s names)', example: 'ARGON2ID' }),
  prefix: string().oneOf(['scheme', 'none'] as const).meta({ description: 'Whether {SCHEME} stands before the hash', example: 'scheme' }),
  bareScheme: string().meta({ description: 'What a stored value without prefix is, where its form does not tell', example: 'SSHA512' }),
  bcryptCost: number().integer().min(4).max(16).meta({ description: 'log2 of the rounds of BLF-CRYPT (default 10)', example: 10 }),
  sha512Rounds: number().integer().min(1000).max(10_000_000).meta({ description: 'Rounds of SHA512-CRYPT (default 5000)', example: 5000 }),
}).noUnknown().test('tls', SQL_TLS_NAME, isNamedForTls).test('layout', 'name a preset, or table with columns.password and columns.address (or local and domain), or statements', (own, context) => {
  if (own.statements?.requireChange !== undefined && !uses('changeRequired')(own.statements.update)) return context.createError({ message: 'with statements.requireChange, statements.update must use :changeRequired too' });
  if (own.statements !== undefined) {
    return own.preset === undefined && own.table === undefined || context.createError({ message: 'statements stand alone: no preset, no table' });
  }
  const columns = { ...(own.preset === undefined ? {} : ACCOUNT_PRESETS[own.preset].columns), ...own.columns } as Partial<AccountTable['columns']>;
  return (own.preset !== undefined || own.table !== undefined) && columns.password !== undefined
    && (columns.address !== undefined || (columns.local !== undefined && columns.domain !== undefined));
});
