import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type ComponentType, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createSend } from '../api/methods.ts';
import { TranslatorContext } from '../i18n/context.ts';
import { createTranslator, type Translator } from '../i18n/translator.ts';
import { withoutTexts } from '../i18n/withoutTexts.ts';
import { ErrorBoundary } from '../parts/ErrorBoundary.tsx';
import section from '../surfaces/section.css';
import { ChooseLanguageContext } from './chooseLanguage.ts';
import css from './panels.css';

/** The same choice as in the webmail of the embedded host; it holds a language and nothing else. */
const LANGUAGE = 'webmail-language';

interface Texts { readonly getMessages: (chosen: string | null) => Promise<Record<string, string>> }

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
  const chosen = (): string | null => localStorage.getItem(LANGUAGE);
  const api = createApi(createSend({ baseUrl: base, csrfToken: () => csrf, get locale() { return chosen() ?? navigator.language; } }));
  const texts = await api.getMessages(chosen()).catch(() => null);
  if (texts === null) {
    place.className = 'root panel';
    withoutTexts(place, 'login');
    return;
  }
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false, gcTime: 0 } } });
  const root = createRoot(place);
  // The back/forward cache would show the page as it was left.
  addEventListener('pagehide', () => { root.unmount(); client.clear(); });
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  root.render(
    <QueryClientProvider client={client}>
      <InLanguage first={createTranslator(texts)} load={api.getMessages} title={title}>
        <ErrorBoundary onReload={() => { location.reload(); }}><Page api={api} base={base} setCsrfToken={(token) => { csrf = token; }} /></ErrorBoundary>
      </InLanguage>
    </QueryClientProvider>,
  );
}

interface InLanguageProps {
  readonly first: Translator;
  readonly load: Texts['getMessages'];
  readonly title: (translator: Translator) => string;
  readonly children: ReactNode;
}

/** The page in its language. Another one that is chosen takes its place where the page stands: what was typed stays, and so does the focus. */
function InLanguage({ first, load, title, children }: InLanguageProps) {
  const [translator, setTranslator] = useState(first);
  useEffect(() => {
    document.documentElement.lang = translator.language;
    document.documentElement.dir = translator.direction;
    document.title = title(translator);
  }, [translator, title]);
  /** With the arrow keys several are chosen one after the other: the last one counts. */
  const last = useRef('');
  const choose = useCallback(async (tag: string): Promise<void> => {
    last.current = tag;
    const texts = await load(tag);
    if (last.current !== tag) return;
    localStorage.setItem(LANGUAGE, tag);
    setTranslator(createTranslator(texts));
  }, [load]);
  return (
    <TranslatorContext value={translator}>
      <ChooseLanguageContext value={choose}>
        <div className="root panel" lang={translator.language} data-theme="auto">{children}</div>
      </ChooseLanguageContext>
    </TranslatorContext>
  );
}
