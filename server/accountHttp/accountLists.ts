import { ModuleError } from '../../module/errors.ts';
import { accountPage } from '../accountPage.ts';
import { foldedAddress, isDomain, isSendable } from '../addressForm.ts';
import type { Account, MailboxPage, MailboxQuery } from '../ports/accountApi.ts';
import type { Ask } from './askAccountApi.ts';
import type { Operation } from './describedApi.ts';
import { valueAt } from './jsonPointer.ts';
import { readAccount, toAccount } from './readAccount.ts';

const undescribed = (name: string, what: string): ModuleError => new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `${name}: ${what}` });

/** Domains and mailboxes of a described API; what it tells beyond what was asked for is left out here. */
export function accountLists(ask: Ask) {
  /** The items of a list; an empty object is what some languages write for an empty list. */
  async function list(name: 'listDomains' | 'listMailboxes', operation: Operation, values: Record<string, string>, signal: AbortSignal) {
    let answer: unknown;
    try {
      answer = await ask(name, operation, values, signal);
    } catch (error) {
      // An unknown domain, where the description says so.
      if (error instanceof ModuleError && error.code === 'ACCOUNT_NOT_FOUND') return { answer: null, items: [] };
      throw error;
    }
    const items = valueAt(answer, operation.items ?? '');
    if (Array.isArray(items)) return { answer, items: items as unknown[] };
    if (typeof items === 'object' && items !== null && Object.keys(items).length === 0) return { answer, items: [] };
    throw undescribed(name, 'the answer holds no list where its description says');
  }

  async function told(operation: Operation, { domain, search, cursor, limit }: MailboxQuery, signal: AbortSignal) {
    const { answer, items } = await list('listMailboxes', operation, { domain, search, cursor: cursor ?? '', limit: String(limit) }, signal);
    const fitting = items.map((item): Account => {
      const account = readAccount(item, operation.result ?? {}, null);
      if (account === null) throw undescribed('listMailboxes', 'an item holds no address where its description says');
      return toAccount(account);
    }).filter(({ address, displayName = '' }) => foldedAddress(address).endsWith(`@${foldedAddress(domain)}`)
      && [address, displayName].some((text) => foldedAddress(text).includes(foldedAddress(search))));
    return { answer, count: items.length, fitting };
  }

  return {
    async domains(operation: Operation, search: string, signal: AbortSignal): Promise<readonly string[]> {
      if (!isSendable(search)) return [];
      const { items } = await list('listDomains', operation, { search }, signal);
      const names = items.map((item) => valueAt(item, operation.name ?? ''));
      if (!names.every((name) => typeof name === 'string')) throw undescribed('listDomains', 'an item holds no name where its description says');
      return [...new Set(names)].filter((name) => foldedAddress(name).includes(foldedAddress(search))).sort();
    },

    async mailboxes(operation: Operation, query: MailboxQuery, signal: AbortSignal): Promise<MailboxPage> {
      const { domain, search, cursor, limit } = query;
      if (!isDomain(domain) || !isSendable(search) || !isSendable(cursor ?? '')) return { mailboxes: [], nextCursor: null };
      // Where the API gives all at once, the pages are ours.
      if (operation.nextCursor === undefined) return accountPage((await told(operation, { ...query, cursor: null }, signal)).fitting, query);
      const { answer, count, fitting } = await told(operation, query, signal);
      if (count > limit) throw undescribed('listMailboxes', 'more came than {limit}');
      const next = valueAt(answer, operation.nextCursor) ?? null;
      if (next !== null && typeof next !== 'string' && typeof next !== 'number') throw undescribed('listMailboxes', 'the cursor is neither a text nor a number');
      return { mailboxes: fitting, nextCursor: next === null || next === '' ? null : String(next) };
    },
  };
}
