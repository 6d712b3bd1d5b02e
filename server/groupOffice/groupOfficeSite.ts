import type { CallOptions } from '../ports/accountApi.ts';
import type { InfoAnswer } from './dropInAnswers.ts';
import { type Credentials, DROP_IN, GroupOfficeClient, GroupOfficeError } from './groupOfficeClient.ts';

const INTERNAL_GROUP = '3';
const SERVICE_USER = 'mailbox-password';
const KEY_NAME = 'Mailbox Password service';
const [PACKAGE, NAME] = DROP_IN.split('/') as [string, string];

export interface InstalledModule {
  readonly id: string;
  readonly package: string | null;
  readonly name: string;
  readonly enabled: boolean;
  readonly permissions: Readonly<Record<string, { readonly rights: Readonly<Record<string, boolean>> }>> | null;
}

interface SetAnswer {
  readonly created: Readonly<Record<string, Record<string, unknown>>> | null;
  readonly notCreated: Readonly<Record<string, { readonly type: string; readonly validationErrors?: object | null }>> | null;
  readonly notUpdated: Readonly<Record<string, { readonly type: string }>> | null;
}

/** What installing and taking away need to ask of a Group-Office, as its administrator. */
export class GroupOfficeSite {
  readonly client: GroupOfficeClient;
  readonly #admin: Credentials;
  readonly #timeoutMs: number;

  constructor(client: GroupOfficeClient, adminToken: string, timeoutMs = 30_000) {
    this.client = client;
    this.#admin = { kind: 'bearer', token: adminToken };
    this.#timeoutMs = timeoutMs;
  }

  get #call(): CallOptions {
    return { signal: AbortSignal.timeout(this.#timeoutMs) };
  }

  async module(pkg = PACKAGE, name = NAME): Promise<InstalledModule | null> {
    const properties = ['id', 'package', 'name', 'enabled', 'permissions'];
    const { list } = await this.client.call<{ list: InstalledModule[] }>(this.#admin, 'Module/get', { ids: null, properties }, this.#call);
    return list.find((module) => module.package === pkg && module.name === name) ?? null;
  }

  async install(pkg = PACKAGE, name = NAME): Promise<void> {
    await this.client.call(this.#admin, 'Module/install', { package: pkg, name }, this.#call);
  }

  async uninstall(): Promise<void> {
    await this.client.call(this.#admin, 'Module/uninstall', { package: PACKAGE, name: NAME }, this.#call);
  }

  /** The user whose API key the service carries: it may manage this module, and nothing else. Made where it is not there. */
  async serviceUser(password: string, emailDomain: string): Promise<{ readonly id: string; readonly groupId: string; readonly made: boolean }> {
    const filter = { username: SERVICE_USER, showDisabled: true };
    const { ids } = await this.client.call<{ ids: string[] }>(this.#admin, 'User/query', { filter }, this.#call);
    const { list } = await this.client.call<{ list: { id: string; username: string; personalGroup: { id: string } }[] }>(
      this.#admin, 'User/get', { ids, properties: ['id', 'username', 'personalGroup'] }, this.#call,
    );
    const found = list.find(({ username }) => username === SERVICE_USER);
    if (found !== undefined) return { id: found.id, groupId: found.personalGroup.id, made: false };
    const email = `${SERVICE_USER}@${emailDomain}`;
    const user = { username: SERVICE_USER, displayName: 'Mailbox Password (service)', email, recoveryEmail: email, password };
    const answer = await this.client.call<SetAnswer>(this.#admin, 'User/set', { create: { u: user } }, this.#call);
    if (answer.created?.u === undefined) throw new GroupOfficeError('refused', answer.notCreated?.u?.type ?? 'notCreated', 'the service user was not created');
    return { ...(await this.serviceUser(password, emailDomain)), made: true };
  }

  async removeServiceUser(): Promise<boolean> {
    const { ids } = await this.client.call<{ ids: string[] }>(this.#admin, 'User/query', { filter: { username: SERVICE_USER, showDisabled: true } }, this.#call);
    const { list } = await this.client.call<{ list: { id: string; username: string }[] }>(this.#admin, 'User/get', { ids, properties: ['id', 'username'] }, this.#call);
    const own = list.filter(({ username }) => username === SERVICE_USER).map(({ id }) => id);
    if (own.length > 0) await this.client.call(this.#admin, 'User/set', { destroy: own }, this.#call);
    return own.length > 0;
  }

  /** Internal reads, the service manages; what an administrator gave besides stays. Answers whether anything changed. */
  async permissions(serviceGroup: string): Promise<boolean> {
    const module = await this.module();
    if (module === null) throw new GroupOfficeError('refused', 'notInstalled', 'the module is not installed');
    const before = module.permissions ?? {};
    const readable = Object.keys(before).length > 0;
    if (before[serviceGroup]?.rights.mayManage === true && readable) return false;
    const permissions = {
      ...(readable ? {} : { [INTERNAL_GROUP]: { rights: { mayRead: true } } }),
      ...Object.fromEntries(Object.entries(before).map(([group, { rights }]) => [group, { rights }])),
      [serviceGroup]: { rights: { mayRead: true, mayManage: true } },
    };
    const answer = await this.client.call<SetAnswer>(this.#admin, 'Module/set', { update: { [module.id]: { permissions } } }, this.#call);
    if (answer.notUpdated?.[module.id] !== undefined) throw new GroupOfficeError('refused', answer.notUpdated[module.id]?.type ?? 'notUpdated', 'the permissions were not set');
    return true;
  }

  async makeKey(userId: string): Promise<string> {
    const answer = await this.client.call<SetAnswer>(this.#admin, 'Key/set', { create: { k: { name: KEY_NAME, userId: Number(userId) } } }, this.#call);
    const key = answer.created?.k?.accessToken;
    if (typeof key !== 'string') throw new GroupOfficeError('refused', 'notCreated', 'the service key was not created');
    return key;
  }

  /** Keys of earlier installations; a key that stays behind would be a way in that nobody remembers. */
  async removeKeys(): Promise<number> {
    const { list } = await this.client.call<{ list: { id: string; name: string }[] }>(this.#admin, 'Key/get', { ids: null }, this.#call);
    const own = list.filter(({ name }) => name === KEY_NAME).map(({ id }) => id);
    if (own.length > 0) await this.client.call(this.#admin, 'Key/set', { destroy: own }, this.#call);
    return own.length;
  }

  async clearCache(): Promise<boolean> {
    const answer = await this.client.page('install/clearcache.php', this.#call);
    return answer.status === 200;
  }
}

/** Whether a service key is good: null where Group-Office refuses it. */
export async function tryKey(client: GroupOfficeClient, key: string, timeoutMs = 10_000): Promise<InfoAnswer | null> {
  try {
    return await client.dropIn<InfoAnswer>({ kind: 'bearer', token: key }, 'info', {}, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    if (error instanceof GroupOfficeError && error.kind === 'refused') return null;
    throw error;
  }
}
