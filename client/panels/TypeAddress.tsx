import { type SyntheticEvent, useId, useState } from 'react';
import { useTranslator } from '../i18n/context.ts';
import { PanelIcon } from './panelIcons.tsx';

/** In the place of a list, where the mailboxes cannot be listed: the address is typed. */
export function TypeAddress({ onEdit }: { readonly onEdit: (address: string) => void }) {
  const { t } = useTranslator();
  const id = useId();
  const [address, setAddress] = useState('');
  const [missing, setMissing] = useState(false);
  function submit(event: SyntheticEvent): void {
    event.preventDefault();
    const typed = address.trim();
    setMissing(typed === '');
    if (typed !== '') onEdit(typed);
  }
  return (
    <form noValidate className="type-address" onSubmit={submit}>
      <p className="info">{t('adminPanel.cannotList')}</p>
      <label className="search">{t('adminPanel.typeAddress')}
        <input type="email" value={address} autoComplete="off" autoCapitalize="none" spellCheck={false} dir="ltr" placeholder="name@example.com" aria-invalid={missing} aria-describedby={`${id}-error`}
          onChange={(event) => { setAddress(event.target.value); setMissing(false); }} />
      </label>
      <div id={`${id}-error`} className="errors">{missing && <p>{t('violation.REQUIRED')}</p>}</div>
      <button type="submit" className="primary with-icon"><PanelIcon name="edit" />{t('adminPanel.edit')}</button>
    </form>
  );
}
