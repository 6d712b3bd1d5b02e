import { useTranslator } from '../i18n/context.ts';

const onPage = (): boolean => document.getElementById('app')?.dataset['readOnly'] !== undefined;

/** Said before anybody has typed anything: before the log-in the page itself tells (`data-read-only`), after it the session. */
export function Maintenance({ writable = !onPage() }: { readonly writable?: boolean }) {
  const { t } = useTranslator();
  if (writable) return null;
  return <div className="notice bad" role="status"><p><strong>{t('section.maintenance')}</strong></p><p>{t('panel.maintenanceLogOut')}</p></div>;
}
