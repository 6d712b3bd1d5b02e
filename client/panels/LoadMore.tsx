import { useEffect, useRef } from 'react';
import { useTranslator } from '../i18n/context.ts';

interface LoadMoreProps {
  readonly more: boolean;
  readonly loading: boolean;
  readonly onMore: () => void;
}

/** Asks for the next page when its place comes into view; a button too, for who does not scroll. */
export function LoadMore({ more, loading, onMore }: LoadMoreProps) {
  const { t } = useTranslator();
  const place = useRef<HTMLDivElement>(null);
  const act = useRef(onMore);
  useEffect(() => { act.current = onMore; });
  useEffect(() => {
    const element = place.current;
    if (!more || loading || element === null || typeof IntersectionObserver === 'undefined') return undefined;
    const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) act.current(); }, { rootMargin: '200px' });
    observer.observe(element);
    return () => { observer.disconnect(); };
  }, [more, loading]);
  return (
    <div ref={place} className="more">
      <p role="status">{loading ? t('section.loading') : ''}</p>
      {more && !loading && <button type="button" className="plain" onClick={onMore}>{t('panel.more')}</button>}
    </div>
  );
}
