import { type Schema, ValidationError } from 'yup';
import { isNamedForTls, SQL_TLS_NAME } from '../sql/sqlOptions.ts';
import { databaseOf, sqlDialectOf } from '../sql/sqlUrl.ts';
import { type ConfigKey, driverKeys, driversOf, type DriverSection, ENTRY_KEYS } from './configKeys.ts';
import { type ConfigProblem, problemsOf } from './configProblem.ts';
import { isTree, type Tree, valueAt } from './layers.ts';

/** Several nodes can share these. */
const SHARED: ReadonlySet<string> = new Set(['mysql', 'postgres']);

interface Entry { readonly section: DriverSection; readonly path: string; readonly entry: Tree }

function entriesOf(tree: Tree): Entry[] {
  const one = (section: 'host' | 'notify'): Entry[] => (isTree(tree[section]) ? [{ section, path: section, entry: tree[section] }] : []);
  const list = (section: 'accounts' | 'sessions' | 'serverRules'): Entry[] => {
    const value = tree[section];
    return Array.isArray(value) ? value.flatMap((entry: unknown, at) => (isTree(entry) ? [{ section, path: `${section}[${String(at)}]`, entry }] : [])) : [];
  };
  const verify = list('accounts').flatMap(({ path, entry }): Entry[] => (isTree(entry['verify']) ? [{ section: 'verify', path: `${path}.verify`, entry: entry['verify'] }] : []));
  return [...one('host'), ...list('accounts'), ...verify, ...list('sessions'), ...list('serverRules'), ...one('notify')];
}

export const driverAtIn = (tree: Tree) => (path: string): string | null => {
  const name = valueAt(tree, `${path}.driver`);
  return typeof name === 'string' ? name : null;
};

/** A driver's own options out of its entry. */
export function driverOptions(section: DriverSection, entry: Tree): Tree {
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !(ENTRY_KEYS[section] as readonly string[]).includes(key)));
}

interface Context { readonly keyAt: (path: string) => ConfigKey | null; readonly valueAt: (path: string) => unknown }

function judge(options: Schema, own: Tree): ValidationError | null {
  try {
    options.validateSync(own, { strict: true, abortEarly: false });
    return null;
  } catch (error) {
    if (ValidationError.isError(error)) return error;
    // A rule between keys that met a wrong type: the types alone say it.
    try {
      options.validateSync(own, { strict: true, abortEarly: true });
    } catch (first) {
      if (ValidationError.isError(first)) return first;
    }
    throw error;
  }
}

/** What the schema of the whole cannot know: each driver's options by that driver's schema, and what the entries say together. */
export function judgeDrivers(tree: Tree, context: Context): ConfigProblem[] {
  const entries = entriesOf(tree);
  const problems: ConfigProblem[] = [];
  for (const { section, path, entry } of entries) {
    const name = entry['driver'];
    if (typeof name !== 'string') continue;
    const drivers = driversOf(section);
    const driver = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
    if (driver === undefined) {
      problems.push({ path: `${path}.driver`, message: `"${name}" is not one of ${Object.keys(drivers).join(', ')}`, value: JSON.stringify(name), expected: `one of ${Object.keys(drivers).join(', ')}` });
      continue;
    }
    const error = judge(driver.options, driverOptions(section, entry));
    if (error !== null) {
      const namesAt = (below: string): string[] => {
        const prefix = below === path ? '' : `${below.slice(path.length + 1).replaceAll(/\[\d+\]/g, '[]')}.`;
        return driverKeys(section, name).flatMap(({ path: known }) => (known.startsWith(prefix) && !/[.[]/.test(known.slice(prefix.length)) ? [known.slice(prefix.length)] : []));
      };
      problems.push(...problemsOf(error, { ...context, prefix: path, namesAt }));
    }
  }
  return [...problems, ...together(tree, entries)];
}

/** Each domain belongs to one account API, `*` takes the rest; a store's name is its own. */
function together(tree: Tree, entries: readonly Entry[]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const seen = new Set<string>();
  for (const { path, entry } of entries.filter(({ section }) => section === 'accounts')) {
    const domains = Array.isArray(entry['domains']) ? entry['domains'] as unknown[] : [];
    for (const domain of domains.flatMap((name) => (typeof name === 'string' ? [name.toLowerCase()] : []))) {
      if (seen.has(domain)) problems.push({ path: `${path}.domains`, message: `${domain} is named twice`, value: JSON.stringify(domains), expected: 'each domain once, over all of accounts' });
      seen.add(domain);
    }
  }
  const names = entries.flatMap(({ section, entry }) => (section === 'sessions' && typeof entry['name'] === 'string' ? [entry['name']] : []));
  for (const name of new Set(names.filter((one, at) => names.indexOf(one) !== at))) problems.push({ path: 'sessions', message: `two stores have the name ${name}`, value: JSON.stringify(names), expected: 'a name of its own for each' });
  if (entries.filter(({ section, entry }) => section === 'serverRules' && entry['driver'] === 'history').length > 1) {
    problems.push({ path: 'serverRules', message: 'there are two histories', expected: 'history once' });
  }
  if (isTree(tree['notify']) && !isTree(valueAt(tree, 'notices.from'))) {
    problems.push({ path: 'notices.from', message: 'is missing: notices need a sender', expected: 'a mapping of name and address', example: '{ name: Example Mail, address: no-reply@example.com }' });
  }
  const url = valueAt(tree, 'state.url');
  if (typeof url === 'string' && !SHARED.has(sqlDialectOf(url) ?? '')) {
    problems.push({ path: 'state.url', message: 'mysql://... or postgres://... is expected; null = SQLite in dataDir', value: '********', expected: 'mysql://user:password@host:port/database or postgres://..., or null' });
  }
  const tls = valueAt(tree, 'state.tls');
  if (isTree(tls) && typeof url !== 'string') problems.push({ path: 'state.tls', message: 'stands without state.url', expected: 'null, or a database in state.url' });
  else if (isTree(tls) && !isNamedForTls({ url: String(url), tls: { verify: tls['verify'] !== false } })) problems.push({ path: 'state.url', message: SQL_TLS_NAME, value: '********', expected: 'the name that stands in the certificate' });
  if (isTree(tls) && (tls['cert'] === undefined) !== (tls['key'] === undefined)) problems.push({ path: 'state.tls', message: 'cert and key belong together', expected: 'both, or neither' });
  const previous = valueAt(tree, 'state.previousUrl');
  if (typeof previous === 'string' && (typeof url !== 'string' || databaseOf(previous) !== databaseOf(url))) {
    problems.push({ path: 'state.previousUrl', message: 'is not the database of state.url', value: '********', expected: 'the same database with the other user or password, or null' });
  }
  return problems;
}
