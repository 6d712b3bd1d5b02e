import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { browserName } from '../../module/clientName.ts';
import { PLAIN_ADDRESS } from '../../module/config/noticesSchema.ts';
import type { Account, AccountApi } from '../ports/accountApi.ts';
import type { NoticeOutbox } from '../ports/noticeOutbox.ts';
import type { NoticeDraft, NoticeFacts, NoticeOccasion, Notices } from '../ports/notices.ts';
import { chooseLanguage } from '../../module/texts/matchLanguage.ts';
import { acceptedLanguages } from '../texts/acceptLanguage.ts';

interface NoticesOptions {
  readonly accounts: AccountApi;
  readonly outbox: NoticeOutbox;
  readonly accountsTimeoutMs: number;
  readonly defaultLanguage: string;
  readonly showAdministrator: boolean;
  /** Languages that have the texts of notices. */
  readonly languages: () => readonly string[];
  readonly log: Logger;
}

/** Some proxies write a port behind the address, an IPv6 one in brackets; a link-local one may have a zone. None of them helps a reader. */
const ipOf = (remoteAddress: string): string | null => {
  const address = remoteAddress.replace(/^\[([0-9a-f:.]+)(?:%[^\]]*)?\](?::\d+)?$/i, '$1').replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1').replace(/%.*$/, '').replace(/^::ffff:(?=\d)/i, '');
  return isIP(address) === 0 ? null : address;
};

/** One mailbox of RFC 5321 or RFC 6531 (SMTPUTF8), nothing that could be read as two or as a header. */
const ADDRESS = /^[^\s@<>(),;:"\\[\]\p{C}\p{Zl}\p{Zp}]{1,64}@[^\s@<>(),;:"\\[\]\p{C}\p{Zl}\p{Zp}]{1,255}$/u;
const isMailable = (address: string): boolean => PLAIN_ADDRESS.test(address) || ADDRESS.test(address);

/** Who is told, and what: the mailbox itself and its recovery address, each by a mail of its own. */
export function createNotices({ accounts, outbox, accountsTimeoutMs, defaultLanguage, showAdministrator, languages, log }: NoticesOptions): Notices {
  async function accountOf(address: string): Promise<Account | null> {
    try {
      return await accounts.find(address, { signal: AbortSignal.timeout(accountsTimeoutMs) });
    } catch {
      // Who it was and what changed is known all the same; only the recovery address is not.
      return null;
    }
  }

  async function draft({ event, address, actor, actorKind, remoteAddress, userAgent, surface, language }: NoticeOccasion): Promise<readonly NoticeDraft[]> {
    const account = await accountOf(address);
    // An administrator's own language says nothing of the owner's.
    const spoken = chooseLanguage([...(account?.language === undefined ? [] : [account.language]), ...(actorKind === 'owner' ? acceptedLanguages(language) : []), defaultLanguage], languages());
    const facts: NoticeFacts = {
      event, address, recovery: null, language: spoken, by: actorKind, name: actorKind === 'administrator' && showAdministrator ? actor : null,
      onServer: surface === 'command-line', ip: surface === 'command-line' ? null : ipOf(remoteAddress), client: browserName(userAgent), ended: null, pending: [],
    };
    const recovery = account?.recoveryAddress;
    const drafts = [{ recipient: address, facts }];
    if (recovery !== undefined && recovery.toLowerCase() !== address.toLowerCase()) drafts.push({ recipient: recovery, facts: { ...facts, recovery } });
    return drafts.flatMap((one) => {
      if (isMailable(one.recipient)) return [{ id: randomUUID(), ...one }];
      log.warn({ mailbox: address, kind: one.facts.recovery === null ? 'mailbox' : 'recovery' }, 'no notice: this is not an address that mail can go to');
      return [];
    });
  }

  return {
    draft: (occasion) => draft(occasion).catch((error: unknown) => {
      log.error({ event: occasion.event, detail: error instanceof Error ? error.message : 'unknown' }, 'a notice could not be prepared');
      return [];
    }),
    release: (changeId, ended, pending) => outbox.release(changeId, ended, pending).catch(() => {
      log.error({ changeId }, 'a notice could not be released; it goes out a little later');
    }),
  };
}
