import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { createApi } from '../api/methods.ts';
import type { HostBridge } from '../host/hostBridge.ts';
import { AccountSection } from './AccountSection.tsx';
import css from './section.css';

/** Mounts into a shadow root, so that no style leaks in or out; returns the way to unmount. */
export function mountAccountSection(element: HTMLElement, bridge: HostBridge): () => void {
  const shadow = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  const place = document.createElement('div');
  shadow.replaceChildren(place);
  // Enter is ours: a host may submit its own form or press its own button at it (Group-Office saves the whole My account dialog).
  for (const type of ['keydown', 'keypress', 'keyup'] as const) place.addEventListener(type, (event) => { if (event.key === 'Enter') event.stopPropagation(); });
  const client = new QueryClient();
  const root = createRoot(place);
  root.render(<QueryClientProvider client={client}><AccountSection api={createApi(bridge)} bridge={bridge} /></QueryClientProvider>);
  return () => {
    root.unmount();
    client.clear();
    place.remove();
  };
}
