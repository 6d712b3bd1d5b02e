import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../../module/errors.ts';
import { acceptedLanguages } from '../texts/acceptLanguage.ts';
import type { TextLibrary } from '../texts/textLibrary.ts';

/** Nothing of ours is loaded: the service that would send it may be the one that is going. */
export const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');

/** Somebody opens a page, by address or by reloading it; our pages themselves ask for JSON. */
export const opensPage = ({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean => method === 'GET' && /\btext\/html\b/i.test(headers.accept ?? '');

interface Note {
  readonly code: ErrorCode;
  readonly params?: Readonly<Record<string, string | number>>;
  /** After so many seconds the page loads itself again. */
  readonly reloadAfterSeconds?: number;
  readonly acceptLanguage: string | undefined;
}

/** What is shown in place of a page: what happened, in the browser's language. */
export function notePage({ code, params, reloadAfterSeconds, acceptLanguage }: Note, texts: TextLibrary): string {
  const { t, language, direction } = texts.translator(acceptedLanguages(acceptLanguage));
  const reload = reloadAfterSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${String(reloadAfterSeconds)}">`;
  return `<!doctype html><html lang="${escaped(language)}" dir="${direction}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`
    + `<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">${reload}<title>${escaped(t('module.name'))}</title>`
    + `<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}</style></head><body><main><p role="status">${escaped(t(`error.${code}`, params))}</p></main></body></html>`;
}
