import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import type { ComponentType } from 'react';
import { createRoot } from 'react-dom/client';
import { createSend } from '../api/methods.ts';
import { TranslatorContext } from '../i18n/context.ts';
import { createTranslator, type Translator } from '../i18n/translator.ts';
import { ErrorBoundary } from '../parts/ErrorBoundary.tsx';
import section from '../surfaces/section.css';
import css from './panels.css';

/** The same choice as in the webmail of the embedded host; it holds a language and nothing else. */
const LANGUAGE = 'webmail-language';

interface Texts { getMessages(chosen: string | null): Promise<Record<string, string>> }

export interface PanelPageProps<Api> {
  readonly api: Api;
  /** Sent with everything that changes something; forgotten at log-out. */
  readonly setCsrfToken: (token: string | undefined) => void;
  readonly base: string;
}

/** Draws one panel page. Nothing of it outlives the page: no storage but the language, and Back loads it anew. */
export async function startPanel<Api extends Texts>(createApi: (send: ReturnType<typeof createSend>) => Api, Page: ComponentType<PanelPageProps<Api>>, title: (translator: Translator) => string): Promise<void> {
  const place = document.getElementById('app') as HTMLElement;
  const base = place.dataset['base'] ?? '';
  const sheets = [section, css].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  document.adoptedStyleSheets = sheets;
  let csrf: string | undefined;
  const chosen = localStorage.getItem(LANGUAGE);
  const api = createApi(createSend({ baseUrl: base, csrfToken: () => csrf, locale: chosen ?? navigator.language }));
  const texts = await api.getMessages(chosen).catch(() => null);
  if (texts === null) {
    // Without texts there is no language to say it in.
    const again = document.createElement('button');
    again.textContent = '↻';
    again.ariaLabel = '↻';
    again.addEventListener('click', () => { location.reload(); });
    place.replaceChildren(again);
    return;
  }
  const translator = createTranslator(texts);
  document.documentElement.lang = translator.language;
  document.documentElement.dir = translator.direction;
  document.title = title(translator);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false, gcTime: 0 } } });
  const root = createRoot(place);
  // The back/forward cache would show the page as it was left.
  addEventListener('pagehide', () => { root.unmount(); client.clear(); });
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  root.render(
    <QueryClientProvider client={client}>
      <TranslatorContext value={translator}>
        <div className="root panel" lang={translator.language} data-theme="auto">
          <ErrorBoundary onReload={() => { location.reload(); }}><Page api={api} base={base} setCsrfToken={(token) => { csrf = token; }} /></ErrorBoundary>
        </div>
      </TranslatorContext>
    </QueryClientProvider>,
  );
}

export function chooseLanguage(tag: string): void {
  localStorage.setItem(LANGUAGE, tag);
  location.reload();
}
