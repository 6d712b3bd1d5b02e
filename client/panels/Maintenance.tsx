import { useTranslator } from '../i18n/context.ts';

/** Said before anybody has typed anything. It may begin and end while the page is open: its place is there all the time, so that it is read out. */
export function Maintenance({ writable }: { readonly writable: boolean }) {
  const { t } = useTranslator();
  return <div role="status">{!writable && <div className="notice bad"><p><strong>{t('section.maintenance')}</strong></p><p>{t('panel.maintenanceLogOut')}</p></div>}</div>;
}
