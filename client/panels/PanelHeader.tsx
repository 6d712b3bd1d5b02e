import type { ReactNode } from 'react';
import { useTranslator } from '../i18n/context.ts';
import { Address } from './Address.tsx';

/** The bar at the top: which panel, who, and the way out. */
export function PanelHeader({ title, who, onLogOut, children }: { readonly title: string; readonly who: string; readonly onLogOut: () => void; readonly children?: ReactNode }) {
  const { t } = useTranslator();
  return (
    <header className="bar">
      <h1>{title}</h1>
      {children}
      <span className="who"><Address of={who} /></span>
      <button type="button" className="out" onClick={onLogOut}>{t('shell.logOut')}</button>
    </header>
  );
}
