import { pino } from 'pino';
import type { Config } from '../../module/config/configSchema.ts';
import { DEMO_MAILBOXES } from '../drivers/embeddedDatabase.ts';
import { DEMO_ADMINISTRATOR, hasDemoMailboxes, isDemo } from '../panels/demo.ts';
import { startService } from '../service/service.ts';
import { systemdNotifier } from '../systemd/notify.ts';
import type { Wiring } from '../wiring.ts';

const REDACTED = ['password', '*.password', 'currentPassword', '*.currentPassword', 'newPassword', '*.newPassword', 'req.headers.cookie', 'req.headers.authorization'];

/** Starts the service; resolves with its address and the ways to reload and stop it. `decorate` lets a test put itself between the ports. */
export async function serve(config: Config, decorate?: (wiring: Wiring) => Wiring) {
  const log = pino({ level: config.log.level, redact: REDACTED }, process.stderr);
  const systemd = systemdNotifier(log);
  const service = await systemd.starting(() => startService(config, log, decorate));
  systemd.notify('READY=1', `Serving at ${service.url}`);
  systemd.startWatchdog();
  return {
    ...service, log, systemd,
    /** Null where the configuration names administrators of its own. */
    demoAdministrator: isDemo(config) && config.administrators.length === 0 && config.panels.admin.enabled ? DEMO_ADMINISTRATOR : null,
    demo: hasDemoMailboxes(config) ? DEMO_MAILBOXES : [],
    async stop(): Promise<boolean> {
      systemd.notify('STOPPING=1');
      const clean = await service.stop();
      systemd.stopWatchdog();
      return clean;
    },
  };
}
