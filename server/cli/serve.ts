import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { Config } from '../../module/config/configSchema.ts';
import { DEMO_MAILBOXES } from '../drivers/embeddedDatabase.ts';
import { DEMO_ADMINISTRATOR, isDemo } from '../panels/demo.ts';
import { buildApp } from '../http/app.ts';
import { createWorker } from '../revocation/worker.ts';
import { systemdNotifier } from '../systemd/notify.ts';
import { wire, type Wiring } from '../wiring.ts';

const REDACTED = ['password', '*.password', 'currentPassword', '*.currentPassword', 'newPassword', '*.newPassword', 'req.headers.cookie', 'req.headers.authorization'];

/** Starts the service; resolves with its address and the way to stop it. `decorate` lets a test put itself between the ports. */
export async function serve(config: Config, decorate: (wiring: Wiring) => Wiring = (wiring) => wiring) {
  const log = pino({ level: config.log.level, redact: REDACTED }, process.stderr);
  const wiring = decorate(await wire(config, log));
  const app = await buildApp(wiring);
  const worker = createWorker({
    ...wiring, accountsTimeoutMs: config.timeouts.accountsMs, timeoutMs: config.timeouts.sessionsMs, ...config.revocation,
  });
  await app.listen({ host: config.server.host, port: config.server.port });
  worker.start();
  const systemd = systemdNotifier(log);
  systemd.notify('READY=1');
  systemd.startWatchdog();
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${config.server.host}:${String(port)}`,
    /** Null where the configuration names administrators of its own. */
    demoAdministrator: isDemo(config) && config.administrators.length === 0 && config.panels.admin.enabled ? DEMO_ADMINISTRATOR : null,
    demo: config.host.driver === 'embedded' ? DEMO_MAILBOXES : [],
    async stop(): Promise<void> {
      systemd.notify('STOPPING=1');
      await app.close();
      await worker.stop();
      await wiring.close();
      systemd.stopWatchdog();
    },
  };
}
