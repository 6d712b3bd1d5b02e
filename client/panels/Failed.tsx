import { ApiError } from '../api/apiError.ts';
import { useTranslator } from '../i18n/context.ts';

/** A list that could not be loaded, in words, with a way to try again. */
export function Failed({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const { t, code } = useTranslator();
  const name = error instanceof ApiError ? error.code : 'UNCONFIRMED';
  const text = name === 'OFFLINE' ? t('panel.offline') : name === 'UNCONFIRMED' ? t('panel.noAnswer') : code('error', name);
  return (
    <div role="alert">
      <p className="warning">{text}</p>
      {error instanceof ApiError && error.reference !== '' && <p className="info">{t('state.reference', { id: error.reference })}</p>}
      <button type="button" className="plain" onClick={onRetry}>{t('section.retry')}</button>
    </div>
  );
}
