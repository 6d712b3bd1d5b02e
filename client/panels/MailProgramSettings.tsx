import { useState } from 'react';
import type { MailSettings } from '../../module/panelOperations.ts';
import { useTranslator } from '../i18n/context.ts';
import { copyText } from '../parts/copyText.ts';

const PROTOCOLS = ['imap', 'pop3', 'smtp'] as const;

/** What a mail program asks for, each value with a button that copies it. */
export function MailProgramSettings({ settings, address }: { readonly settings: MailSettings; readonly address: string }) {
  const { t, labelled } = useTranslator();
  const [notice, setNotice] = useState('');
  const offered = PROTOCOLS.filter((protocol) => settings[protocol] !== null);

  async function copy(label: string, value: string): Promise<void> {
    setNotice(await copyText(value, null) ? labelled(label, t('action.copied')) : t('panel.copyFailed'));
  }

  // The roles stay where a phone lays the rows out another way.
  const row = (label: string, value: string, name = label) => (
    <tr key={name} role="row">
      <th scope="row" role="rowheader">{label}</th>
      <td role="cell"><bdi className="value">{value}</bdi></td>
      <td role="cell"><button type="button" className="plain small" aria-label={labelled(t('action.copy'), name)} onClick={() => { void copy(name, value); }}>{t('action.copy')}</button></td>
    </tr>
  );

  return (
    <>
      <p className="info">{t('userPanel.mailInfo')}</p>
      {offered.length === 0 && <p>{t('userPanel.noMailSettings')}</p>}
      <p className="status" role="status">{notice}</p>
      <table className="settings" role="table">
        <caption>{t('userPanel.userName')}</caption>
        <tbody role="rowgroup">{row(t('shell.address'), address)}</tbody>
      </table>
      {offered.map((protocol) => {
        const server = settings[protocol];
        if (server === null) return null;
        const title = t(`userPanel.${protocol}`);
        return (
          <table key={protocol} className="settings" role="table">
            <caption>{title}</caption>
            <tbody role="rowgroup">
              {row(t('userPanel.server'), server.host, labelled(title, t('userPanel.server')))}
              {row(t('userPanel.port'), String(server.port), labelled(title, t('userPanel.port')))}
              {row(t('userPanel.encryption'), t(`userPanel.encryption.${server.encryption}`), labelled(title, t('userPanel.encryption')))}
            </tbody>
          </table>
        );
      })}
    </>
  );
}
