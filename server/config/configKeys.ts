import type { Schema } from 'yup';
import { configSchema } from '../../module/config/configSchema.ts';
import { DRIVERS } from '../drivers/registry.ts';

/** One key of the configuration, as its schema has it. */
export interface ConfigKey {
  /** `server.port`; an element of a list is `administrators[].name`. */
  readonly path: string;
  readonly description: string;
  /** As it may stand in the file; undefined where the schema has none. */
  readonly example: unknown;
  /** True: shown nowhere, not even in part. */
  readonly secret: boolean;
  /** What is allowed, in words: `a whole number from 0 to 65535`. */
  readonly expected: string;
  readonly required: boolean;
  /** The values that are allowed, where they are a few. */
  readonly choices: readonly string[];
}

/** Keys of a driver's entry that are ours and not the driver's. */
export const ENTRY_KEYS = { host: ['driver'], accounts: ['driver', 'domains', 'verify'], sessions: ['driver', 'name'], serverRules: ['driver'], notify: ['driver'], verify: ['driver'] } as const satisfies Record<string, readonly string[]>;

export type DriverSection = keyof typeof ENTRY_KEYS;

const DRIVERS_OF = { host: DRIVERS.hosts, accounts: DRIVERS.accounts, sessions: DRIVERS.sessions, serverRules: DRIVERS.policy, notify: DRIVERS.notify, verify: DRIVERS.verify } as const;

interface NamedDriver { readonly name: string; readonly summary: string; readonly options: Schema }

/** The drivers that may stand in a section, by name. */
export const driversOf = (section: DriverSection): Readonly<Record<string, NamedDriver>> => DRIVERS_OF[section];

/** The part of yup's description that is read here. */
interface Description {
  readonly type: string;
  readonly meta?: { readonly description?: string; readonly example?: unknown; readonly secret?: boolean; readonly whole?: boolean } | undefined;
  readonly optional?: boolean;
  readonly nullable?: boolean;
  readonly oneOf?: readonly (string | number | boolean | null)[];
  readonly tests?: readonly { readonly name?: string | undefined; readonly params?: Readonly<Record<string, number | undefined>> | undefined }[];
  readonly fields?: Readonly<Record<string, Description>>;
  readonly innerType?: Description;
}

const limit = (own: Description, name: string): number | undefined => own.tests?.find((test) => test.name === name)?.params?.[name];

function range(own: Description, unit: string): string {
  const [min, max] = [limit(own, 'min'), limit(own, 'max')];
  if (min !== undefined && max !== undefined) return ` from ${String(min)} to ${String(max)}${unit}`;
  if (min !== undefined && !(own.type === 'string' && min === 1)) return ` of at least ${String(min)}${unit}`;
  return max === undefined ? '' : ` of at most ${String(max)}${unit}`;
}

function expectedOf(own: Description): string {
  const choices = (own.oneOf ?? []).filter((choice) => choice !== null);
  const words = (): string => {
    if (choices.length > 0) return `one of ${choices.join(', ')}`;
    if (own.type === 'number') return `${own.tests?.some(({ name }) => name === 'integer') === true ? 'a whole number' : 'a number'}${range(own, '')}`;
    if (own.type === 'boolean') return 'true or false';
    if (own.type === 'array') return own.innerType === undefined ? 'a list' : `a list; each element ${expectedOf(own.innerType).replace(/ or null$/, '')}`;
    if (own.type === 'object') return 'a mapping of keys';
    if (own.type === 'string') return own.tests?.some(({ name }) => name === 'url') === true ? 'a URL' : `a text${range(own, ' characters')}`;
    return 'any value of the described form';
  };
  return `${words()}${own.nullable === true ? ' or null' : ''}`;
}

/** True where the keys below are described one by one; a key marked `whole` is explained on its driver's page. */
const isDescribed = (own: Description): boolean => own.meta?.whole !== true
  && (own.type === 'array' ? own.innerType?.type === 'object' && isDescribed(own.innerType) : own.type === 'object' && Object.keys(own.fields ?? {}).length > 0);

function walk(own: Description, path: string, secret: boolean): ConfigKey[] {
  const isSecret = secret || own.meta?.secret === true;
  const self: ConfigKey = {
    path, secret: isSecret, description: own.meta?.description ?? '', example: own.meta?.example, expected: expectedOf(own),
    required: own.optional !== true, choices: (own.oneOf ?? []).filter((choice) => typeof choice === 'string'),
  };
  if (own.type === 'array' && own.innerType !== undefined && isDescribed(own)) return [self, ...walk(own.innerType, `${path}[]`, isSecret).slice(1)];
  if (own.type === 'object' && (path === '' || isDescribed(own))) {
    const below = Object.entries(own.fields ?? {}).flatMap(([name, field]) => walk(field, path === '' ? name : `${path}.${name}`, isSecret));
    return path === '' ? below : [self, ...below];
  }
  return [self];
}

/** Every key that a schema knows, in its order, groups before what is in them. */
const keysOf = (schema: Schema): readonly ConfigKey[] => walk(schema.describe() as unknown as Description, '', false);

const known = new Map<string, readonly ConfigKey[]>();
function cached(name: string, schema: Schema): readonly ConfigKey[] {
  const found = known.get(name) ?? keysOf(schema);
  known.set(name, found);
  return found;
}

export const topLevelKeys = (): readonly ConfigKey[] => cached('', configSchema);

export function driverKeys(section: DriverSection, driver: string): readonly ConfigKey[] {
  const found = Object.hasOwn(driversOf(section), driver) ? driversOf(section)[driver] : undefined;
  return found === undefined ? [] : cached(`${section} ${driver}`, found.options);
}

/**
 * The key that a path of a configuration stands for: `accounts[0].columns.address` is the sql driver's `columns.address` where
 * `driverAt` says that `accounts[0]` is of that driver. What lies below a key that is explained as a whole is that key.
 */
export function keyAt(path: string, driverAt: (entry: string) => string | null): ConfigKey | null {
  const [, entry, named, rest] = /^(accounts\[\d+\]\.verify|(host|accounts|sessions|serverRules|notify)(?:\[\d+\])?)(?:\.(.*))?$/.exec(path) ?? [];
  // An account API can have a driver inside: the one that verifies for it.
  const section = entry !== undefined && named === undefined ? 'verify' : named;
  const ours = section === undefined ? [] : ENTRY_KEYS[section as DriverSection];
  const isDrivers = entry !== undefined && rest !== undefined && !(ours as readonly string[]).includes(rest.replace(/[.[].*$/, ''));
  const keys = isDrivers ? driverKeys(section as DriverSection, driverAt(entry) ?? '') : topLevelKeys();
  let wanted = (isDrivers ? rest : path).replaceAll(/\[\d+\]/g, '[]');
  for (;;) {
    const found = keys.find((key) => key.path === wanted);
    if (found !== undefined) return found;
    const shorter = wanted.replace(/(\[\]|\.[^.[\]]+)$/, '');
    if (shorter === wanted) return null;
    wanted = shorter;
  }
}
