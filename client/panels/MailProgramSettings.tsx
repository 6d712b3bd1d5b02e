import { useEffect, useState } from 'react';
import type { MailSettings } from '../../module/panelOperations.ts';
import { useTranslator } from '../i18n/context.ts';
import { copyText } from '../parts/copyText.ts';

/** So long the button itself says that it has copied: that is where one looks. */
const SAYS_SO_MS = 3_000;
const PROTOCOLS = ['imap', 'pop3', 'smtp'] as const;

/** What a mail program asks for, each value with a button that copies it. */
export function MailProgramSettings({ settings, address }: { readonly settings: MailSettings; readonly address: string }) {
  const { t, labelled } = useTranslator();
  const [notice, setNotice] = useState<{ readonly name: string; readonly copied: boolean } | null>(null);
  useEffect(() => {
    if (notice?.copied !== true) return undefined;
    const timer = setTimeout(() => { setNotice(null); }, SAYS_SO_MS);
    return () => { clearTimeout(timer); };
  }, [notice]);
  const offered = PROTOCOLS.filter((protocol) => settings[protocol] !== null);

  async function copy(name: string, value: string): Promise<void> {
    setNotice({ name, copied: await copyText(value, null) });
  }

  // The roles stay where a phone lays the rows out another way.
  const row = (label: string, value: string, name = label) => {
    const says = t(notice?.copied === true && notice.name === name ? 'action.copied' : 'action.copy');
    return (
      <tr key={name} role="row">
        <th scope="row" role="rowheader">{label}</th>
        <td role="cell"><bdi className="value">{value}</bdi></td>
        <td role="cell"><button type="button" className="plain small" aria-label={labelled(says, name)} onClick={() => { void copy(name, value); }}>{says}</button></td>
      </tr>
    );
  };

  return (
    <>
      <p className="info">{t('userPanel.mailInfo')}</p>
      {offered.length === 0 && <p>{t('userPanel.noMailSettings')}</p>}
      <p className={notice?.copied === false ? 'warning' : 'unseen'} role="status">{notice === null ? '' : notice.copied ? labelled(notice.name, t('action.copied')) : t('panel.copyFailed')}</p>
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
