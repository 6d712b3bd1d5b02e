import type { Config } from '../../module/config/configSchema.ts';

/** The administrator of a host that is for trying things out; known to everybody. */
export const DEMO_ADMINISTRATOR = { name: 'admin', password: 'Admin-demo-9' } as const;

/** Only where mailboxes, too, are those of the embedded host: a known password must never open real ones. */
export const isDemo = ({ host, accounts }: Pick<Config, 'host' | 'accounts'>): boolean =>
  host.driver === 'embedded' && accounts.every(({ driver }) => driver === 'embedded');

/** Whether the demo mailboxes, whose passwords everybody knows, can be reached at all. */
export const hasDemoMailboxes = ({ host, accounts }: Pick<Config, 'host' | 'accounts'>): boolean =>
  host.driver === 'embedded' && accounts.some(({ driver }) => driver === 'embedded');

export const DEMO_MAIL_SETTINGS = {
  imap: { host: 'imap.example.test', port: 993, encryption: 'tls' },
  pop3: { host: 'pop.example.test', port: 995, encryption: 'tls' },
  smtp: { host: 'smtp.example.test', port: 465, encryption: 'tls' },
} as const;
