import { type ChannelCounts, CHANNELS } from '../../module/channels.ts';
import { createTranslator, type Translator } from '../../module/texts/translator.ts';
import type { OutgoingMail } from '../ports/notifier.ts';
import type { OwedNotice } from '../ports/noticeOutbox.ts';
import type { NoticeFacts } from '../ports/notices.ts';
import type { TemplateFor } from './loadTemplates.ts';
import type { Values } from './template.ts';

export interface NoticeStyle {
  readonly from: { readonly name: string; readonly address: string };
  readonly support: string | null;
  /** IANA name; null = this machine's. */
  readonly timeZone: string | null;
  readonly templateFor: TemplateFor;
  /** Texts of a language with its tag under `@language`. */
  readonly textsOf: (language: string) => Readonly<Record<string, string>>;
}

/** Line ends and other controls would end a header; direction marks would let a name stand where it does not. */
const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();

/** In a text that runs from right to left, an address or a name keeps its own direction (Unicode UAX #9: first strong isolate). */
const isolated = ({ direction }: Translator) => (text: string): string => (direction === 'rtl' ? `\u2068${plain(text)}\u2069` : plain(text));

function timeOf(happenedAt: number, language: string, timeZone: string | null): string {
  const options = { dateStyle: 'full', timeStyle: 'long', ...(timeZone !== null && { timeZone }) } as const;
  try {
    return new Intl.DateTimeFormat(language, options).format(happenedAt);
  } catch {
    return new Intl.DateTimeFormat('en', options).format(happenedAt);
  }
}

/** What mail programs make a link of. */
const LINK = /\bhttps?:|\bwww\./i;

function endedText(ended: ChannelCounts | null, { t }: Translator): string {
  if (ended === null) return t('notice.endedUnknown');
  const lines = CHANNELS.flatMap((channel) => {
    const count = ended[channel] ?? 0;
    return count > 0 ? [`• ${t('done.count', { channel: t(`channel.${channel}`), count })}`] : [];
  });
  return lines.length === 0 ? t('notice.endedNone') : [t('notice.ended'), ...lines].join('\n');
}

function whereText({ ip, client, onServer }: NoticeFacts, { t }: Translator, own: (text: string) => string): string {
  if (onServer) return t('notice.where.server');
  if (ip === null) return t('notice.where.unknown');
  return client === null ? t('notice.where.address', { ip: own(ip) }) : t('notice.where.client', { client: own(client), ip: own(ip) });
}

function byText({ by, name }: NoticeFacts, { t }: Translator, own: (text: string) => string): string {
  if (by === 'administrator') return name === null ? t('notice.by.administrator') : t('notice.by.administratorNamed', { name: own(name) });
  return by === 'operator' ? t('notice.by.operator') : t('notice.by.owner');
}

const SUBJECT = { change: 'notice.subject.change', set: 'notice.subject.set', logout: 'notice.subject.logout' } as const;
const WHAT = { change: 'notice.what.change', set: 'notice.what.set', logout: 'notice.what.logout' } as const;
const MINE = { change: 'notice.mine.change', set: 'notice.mine.set', logout: 'notice.mine.logout' } as const;
const NOT_MINE = { change: 'notice.notMine.change', set: 'notice.notMine.set', logout: 'notice.notMine.logout' } as const;

function valuesOf({ facts, happenedAt }: Pick<OwedNotice, 'facts' | 'happenedAt'>, { support, timeZone }: NoticeStyle, translator: Translator): Values {
  const { t, list, language, direction } = translator;
  const own = isolated(translator);
  const { event, recovery, pending } = facts;
  const address = own(facts.address);
  const time = timeOf(happenedAt, language, timeZone);
  return {
    address, time, language, direction,
    // A header loses the marks of direction that `own` sets; they would leave a blank each.
    subject: t(SUBJECT[event], { address: plain(facts.address) }),
    what: t(WHAT[event], { address }),
    when: t('notice.when', { time }),
    where: whereText(facts, translator, own),
    by: byText(facts, translator, own),
    ended: endedText(facts.ended, translator),
    pending: pending.length === 0 ? '' : t('done.pending', { channels: list(pending.map((channel) => t(`channel.${channel}`))) }),
    remind: event === 'logout' || recovery !== null ? '' : t('done.remind'),
    mine: t(MINE[event]),
    notMine: t(NOT_MINE[event]),
    support: support === null ? '' : t('notice.support', { support: own(support) }),
    recovery: recovery === null ? '' : t('notice.recovery', { recovery: own(recovery), address }),
    // "It has no links" is said only where that is so: the operator's line may hold the address of a help page.
    automatic: t(support !== null && LINK.test(support) ? 'notice.automaticHelp' : 'notice.automatic'),
  };
}

/** The mail of a notice. The same notice is the same mail at every try, byte for byte, so that a repetition can be told. */
export function composeNotice(notice: Pick<OwedNotice, 'id' | 'recipient' | 'facts' | 'happenedAt'>, style: NoticeStyle): OutgoingMail {
  const { id, recipient, facts, happenedAt } = notice;
  const values = valuesOf(notice, style, createTranslator(style.textsOf(facts.language)));
  const body = (kind: 'txt' | 'html'): string => style.templateFor(facts.event, facts.language, kind)(values);
  return {
    messageId: `<${id}@${style.from.address.slice(style.from.address.lastIndexOf('@') + 1)}>`,
    date: happenedAt, from: style.from, to: recipient,
    subject: plain(values.subject), text: body('txt'), html: body('html'), language: values.language,
  };
}
