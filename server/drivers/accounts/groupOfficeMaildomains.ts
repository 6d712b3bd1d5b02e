import { object } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { urlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { readError, readSet, refuseTooLong, type SetAnswer, writeError } from '../../groupOffice/accountErrors.ts';
import { diagnoseAccounts, diagnoseMaildomains } from '../../groupOffice/diagnoseAccounts.ts';
import { type Credentials, GroupOfficeClient } from '../../groupOffice/groupOfficeClient.ts';
import { host, mayBeName, serviceKey, url } from '../../groupOffice/groupOfficeOptions.ts';
import { oneAtATime } from '../../oneAtATime.ts';
import { replacedPasswords } from '../../groupOffice/replacedPasswords.ts';
import { forgetLogins, verifyByLogin } from '../../groupOffice/verifyByLogin.ts';
import type { Account, AccountApi, CallOptions, MailboxPage } from '../../ports/accountApi.ts';
import type { Secret } from '../../secret.ts';
import { defineAccountDriver } from '../defineDriver.ts';

/** `$5$` of crypt(3) takes any length; this only keeps absurd ones away from 5000 rounds of SHA-256. */
const MAX_BYTES = 1024;
/** Of one page, where a search holds wildcards and finds far more than it means. */
const MAX_QUERIES = 10;
const PROPERTIES = ['id', 'username', 'description', 'active'];

interface Mailbox { readonly id: string; readonly username: string; readonly description: string | null; readonly active: boolean }

/** Mailboxes that Group-Office's own module `community/maildomains` keeps for Dovecot and Postfix. */
export default defineAccountDriver({
  name: 'groupOfficeMaildomains',
  summary: "Mailboxes kept by Group-Office's maildomains module.",
  options: object({ url, host, serviceKey }).noUnknown(),
  async create(options, { clock }): Promise<AccountApi> {
    const client = new GroupOfficeClient(options);
    const service: Credentials = { kind: 'bearer', token: options.serviceKey };
    const queue = oneAtATime();
    const replaced = replacedPasswords(() => clock.now());

    async function read<T>(method: string, params: object, call: CallOptions): Promise<T> {
      try {
        return await client.call<T>(service, method, params, call);
      } catch (error) {
        throw readError(error);
      }
    }

    async function lookUp(address: string, call: CallOptions): Promise<{ mailbox: Mailbox; state: string } | null> {
      if (!mayBeName(address) || Buffer.byteLength(address) > 190) return null;
      const { ids } = await read<{ ids: string[] }>('MailBox/query', { filter: { username: address } }, call);
      if (ids.length === 0) return null;
      const { list, state } = await read<{ list: Mailbox[]; state: string }>('MailBox/get', { ids, properties: PROPERTIES }, call);
      // The database compares without case and accents: only case is the same name to a mail server.
      const found = list.filter(({ username }) => username.toLowerCase() === address.toLowerCase());
      if (found.length > 1) throw new ModuleError('ACCOUNT_AMBIGUOUS');
      const [mailbox] = found;
      return mailbox === undefined ? null : { mailbox, state };
    }

    async function verify(address: string, mailbox: Mailbox | null, password: Secret, call: CallOptions): Promise<boolean> {
      const username = mailbox?.active === true ? mailbox.username : `nobody@${mayBeName(address) ? domainOf(address) : 'invalid'}`;
      try {
        const { right } = await verifyByLogin(client, service, { address, username }, password, call);
        return right && !replaced.has(username, password);
      } catch (error) {
        throw readError(error);
      }
    }

    async function write(mailbox: Mailbox, next: Secret, state: string, call: CallOptions): Promise<void> {
      try {
        readSet(await client.call<SetAnswer>(service, 'MailBox/set', { ifInState: state, update: { [mailbox.id]: { password: next.reveal() } } }, call), mailbox.id);
      } catch (error) {
        throw writeError(error);
      }
    }

    /** The state is one for all mailboxes; it is compared inside Group-Office's lock, so what was read still holds. */
    async function writeChecked(address: string, next: Secret, current: Secret | null, call: CallOptions): Promise<void> {
      for (let left = 3; ; left--) {
        const found = await lookUp(address, call);
        if (current !== null && !(await verify(address, found?.mailbox ?? null, current, call))) throw new ModuleError('CURRENT_PASSWORD_WRONG');
        if (found === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
        try {
          await write(found.mailbox, next, found.state, call);
          replaced.note(found.mailbox.username, current, next);
          return;
        } catch (error) {
          if (left === 0 || !(error instanceof ModuleError) || error.code !== 'ACCOUNT_CHANGED_MEANWHILE') throw error;
        }
      }
    }

    const change = (address: string, next: Secret, current: Secret | null, call: CallOptions) =>
      queue(address.toLowerCase(), async () => {
        refuseTooLong(Buffer.byteLength(next.reveal()), MAX_BYTES);
        await writeChecked(address, next, current, call);
        await forgetLogins(client, service, address, call).catch(() => undefined);
        return { changedAt: null };
      });

    /**
     * Group-Office reads `%`, `_` and `*` of a search as wildcards and searches its words apart: what it finds is looked at once more.
     * A page may therefore be short, or empty, and still have a next one.
     */
    async function page({ id, search, position, limit }: { id: string; search: string; position: number; limit: number }, call: CallOptions): Promise<MailboxPage> {
      const filter = { domainId: id, ...(search === '' ? {} : { text: search }) };
      const sort = [{ property: 'username', isAscending: true }];
      const mailboxes: Account[] = [];
      let at = position;
      for (let asked = 0; asked < MAX_QUERIES; asked++) {
        // One more than asked for tells whether there is a next page.
        const { ids } = await read<{ ids: string[] }>('MailBox/query', { filter, sort, position: at, limit: limit + 1 }, call);
        const shown = ids.slice(0, limit);
        const { list } = shown.length === 0 ? { list: [] } : await read<{ list: Mailbox[] }>('MailBox/get', { ids: shown, properties: PROPERTIES }, call);
        const byId = new Map(list.map((mailbox) => [mailbox.id, mailbox]));
        for (const [index, mailboxId] of shown.entries()) {
          const mailbox = byId.get(mailboxId);
          if (mailbox !== undefined && matches(mailbox, search)) mailboxes.push(toAccount(mailbox));
          const last = index === shown.length - 1 && ids.length <= limit;
          if (mailboxes.length === limit) return { mailboxes, nextCursor: last ? null : String(at + index + 1) };
        }
        at += shown.length;
        if (ids.length <= limit) return { mailboxes, nextCursor: null };
      }
      return { mailboxes, nextCursor: String(at) };
    }

    return {
      tls: urlEndpoints(options.url),
      abilities: { verifyPassword: true, changePassword: true, setPassword: true, listDomains: true, listMailboxes: true, maxPasswordBytes: MAX_BYTES },
      async find(address, call) {
        const found = await lookUp(address, call);
        return found === null ? null : toAccount(found.mailbox);
      },
      async verifyPassword(address, password, call) {
        return verify(address, (await lookUp(address, call))?.mailbox ?? null, password, call);
      },
      async changePassword(address, current, next, call) {
        if (current.reveal() === '') throw new ModuleError('CURRENT_PASSWORD_WRONG');
        return change(address, next, current, call);
      },
      setPassword: (address, next, call) => change(address, next, null, call),
      passwordVersion: () => Promise.resolve(null),
      async listDomains(search, call) {
        if (search !== '' && !mayBeName(search)) return [];
        return (await domains(search, read, call)).map(({ domain }) => domain).filter((domain) => domain.toLowerCase().includes(search.toLowerCase()));
      },
      async listMailboxes({ domain, search, cursor, limit }, call) {
        if (!mayBeName(domain)) return { mailboxes: [], nextCursor: null };
        const found = (await domains(domain, read, call)).find((row) => row.domain.toLowerCase() === domain.toLowerCase());
        if (found === undefined) return { mailboxes: [], nextCursor: null };
        const position = cursor === null ? 0 : Number(cursor);
        if (!Number.isSafeInteger(position) || position < 0) throw new ModuleError('REQUEST_INVALID');
        return page({ id: found.id, search: search.toLowerCase(), position, limit }, call);
      },
      async check(call) {
        await read('MailDomain/query', { limit: 1 }, call);
        await client.dropIn(service, 'info', {}, call).catch((error: unknown) => { throw readError(error); });
      },
      diagnose: (call) => diagnoseAccounts({ url: options.url, client, service }, call, () => diagnoseMaildomains(read, call)),
      close() {
        client.close();
        return Promise.resolve();
      },
    };
  },
});

type Read = <T>(method: string, params: object, call: CallOptions) => Promise<T>;

async function domains(search: string, read: Read, call: CallOptions): Promise<readonly { readonly id: string; readonly domain: string }[]> {
  const filter = search === '' ? {} : { text: search };
  const { ids } = await read<{ ids: string[] }>('MailDomain/query', { filter, sort: [{ property: 'domain', isAscending: true }] }, call);
  if (ids.length === 0) return [];
  const rows: { id: string; domain: string }[] = [];
  // `maxObjectsInGet` of a Group-Office is 100.
  for (let from = 0; from < ids.length; from += 100) {
    const { list } = await read<{ list: { id: string; domain: string }[] }>('MailDomain/get', { ids: ids.slice(from, from + 100), properties: ['id', 'domain'] }, call);
    rows.push(...list);
  }
  return rows.sort((a, b) => (a.domain < b.domain ? -1 : 1));
}

const matches = ({ username, description }: Mailbox, search: string): boolean =>
  username.toLowerCase().includes(search) || (description ?? '').toLowerCase().includes(search);

function toAccount({ username, description, active }: Mailbox): Account {
  return { address: username, enabled: active, passwordChangedAt: null, ...(description === null || description === '' ? {} : { displayName: description }) };
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
