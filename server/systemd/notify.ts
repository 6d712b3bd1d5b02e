import koffi from 'koffi';
import type { Logger } from 'pino';

/** What the unit (Type=notify) waits for; sd_notify(3). */
type ServiceState = 'READY=1' | 'STOPPING=1' | 'WATCHDOG=1' | 'RELOADING=1' | `EXTEND_TIMEOUT_USEC=${string}`;

const EXTENSION_MS = 30_000;
const LONGEST_START_MS = 3_600_000;

type SdNotify = (unsetEnvironment: number, state: string) => number;

/** Tells systemd how the service is; `status` is the line that `systemctl status` shows. Anywhere but under systemd it does nothing. */
export interface SystemdNotifier {
  readonly notify: (state: ServiceState, status?: string) => void;
  /** Starts the pings that WatchdogSec= of the unit asks for: a stuck event loop misses them and the service is restarted. */
  readonly startWatchdog: () => void;
  readonly stopWatchdog: () => void;
  /** What `work` takes does not count for TimeoutStartSec=, up to an hour: tables with millions of rows are brought up to date. */
  readonly starting: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Node has no datagram sockets of the local kind, so libsystemd sends; it is there wherever systemd runs. */
function load(): SdNotify {
  return koffi.load('libsystemd.so.0').func('int sd_notify(int unset_environment, const char *state)');
}

/** `environment` tells whether systemd wants to hear: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID (sd_watchdog_enabled(3)). */
export function systemdNotifier(log: Logger, environment: Readonly<Record<string, string | undefined>> = process.env): SystemdNotifier {
  let send: SdNotify | undefined;
  let timer: NodeJS.Timeout | undefined;
  const notify = (state: ServiceState, status?: string): void => {
    if (environment['NOTIFY_SOCKET'] === undefined) return;
    const lines: string[] = [state];
    // systemd 253 and later asks since when (Type=notify-reload): CLOCK_MONOTONIC, which is what hrtime reads.
    if (state === 'RELOADING=1') lines.push(`MONOTONIC_USEC=${String(process.hrtime.bigint() / 1000n)}`);
    if (status !== undefined) lines.push(`STATUS=${status.replaceAll(/\s+/g, ' ')}`);
    try {
      send ??= load();
      const result = send(0, lines.join('\n'));
      if (result < 0) log.warn({ state, errno: -result }, 'systemd was not told');
    } catch (error) {
      log.warn({ state, detail: (error as Error).message }, 'systemd was not told: libsystemd.so.0 could not be loaded');
    }
  };
  return {
    notify,
    startWatchdog() {
      const everyMs = Number(environment['WATCHDOG_USEC'] ?? 0) / 1000 / 3;
      const pid = environment['WATCHDOG_PID'];
      if (everyMs <= 0 || (pid !== undefined && Number(pid) !== process.pid)) return;
      timer = setInterval(() => { notify('WATCHDOG=1'); }, everyMs);
      timer.unref();
    },
    stopWatchdog() { clearInterval(timer); },
    async starting(work) {
      const end = Date.now() + LONGEST_START_MS;
      const extend = (): void => { if (Date.now() < end) notify(`EXTEND_TIMEOUT_USEC=${String(EXTENSION_MS * 1000)}`); };
      extend();
      const extending = setInterval(extend, EXTENSION_MS / 3);
      try {
        return await work();
      } finally {
        clearInterval(extending);
      }
    },
  };
}
