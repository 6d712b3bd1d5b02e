import type { Kysely } from 'kysely';
import type { Config } from '../../module/config/configSchema.ts';
import type { MailSettings } from '../../module/panelOperations.ts';
import type { Clock } from '../ports/clock.ts';
import { type Administrators, createAdministrators, hashAdministratorPassword } from './administrators.ts';
import { DEMO_ADMINISTRATOR, DEMO_MAIL_SETTINGS, isDemo } from './demo.ts';
import { createPanelSessions, type PanelSessions } from './panelSessions.ts';
import type { PanelTables } from './tables.ts';

/** What the two panels need besides the ports. Their tables come with the migrations of the state database. */
export interface Panels {
  readonly sessions: PanelSessions;
  readonly administrators: Administrators;
  readonly mailSettings: MailSettings;
}

export async function createPanels(config: Config, database: Kysely<PanelTables>, clock: Clock): Promise<Panels> {
  const demo = isDemo(config) && config.administrators.length === 0 && config.panels.admin.enabled
    ? [{ name: DEMO_ADMINISTRATOR.name, passwordHash: await hashAdministratorPassword(DEMO_ADMINISTRATOR.password), domains: ['*'] }] : [];
  const settings = config.mailSettings ?? (isDemo(config) ? DEMO_MAIL_SETTINGS : {});
  return {
    sessions: createPanelSessions(database, clock, config.panels),
    administrators: await createAdministrators([...config.administrators, ...demo]),
    mailSettings: { imap: settings.imap ?? null, pop3: settings.pop3 ?? null, smtp: settings.smtp ?? null },
  };
}
