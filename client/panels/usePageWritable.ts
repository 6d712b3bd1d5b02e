import { useCallback, useEffect, useState } from 'react';
import { useOnReturn } from '../parts/useOnReturn.ts';

/** While somebody may be looking at the page. */
const EVERY_MS = 30_000;

const said = (page: Document): boolean | null => {
  const app = page.getElementById('app');
  return app === null ? null : app.dataset['readOnly'] === undefined;
};

/**
 * Whether passwords can be changed (`readOnly`), as the page itself tells before anybody is logged in (`data-read-only`). The page is read
 * again every half minute, when somebody comes back to it, and when `look` is called. It asks for no session, so it keeps nobody logged in.
 */
export function usePageWritable(readPage: () => Promise<string>): readonly [writable: boolean, look: () => void] {
  const [writable, setWritable] = useState(() => said(document) !== false);
  const look = useCallback((): void => {
    readPage().then((html) => {
      const now = said(new DOMParser().parseFromString(html, 'text/html'));
      if (now !== null) setWritable(now);
    // What does not answer has said nothing.
    }, () => undefined);
  }, [readPage]);
  useOnReturn(look);
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) look(); }, EVERY_MS);
    return () => { clearInterval(timer); };
  }, [look]);
  return [writable, look];
}
