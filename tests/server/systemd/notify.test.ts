import koffi from 'koffi';
import { pino } from 'pino';
import { systemdNotifier } from '../../../server/systemd/notify.ts';
import { notifySocket } from '../../fixtures/notifySocket.ts';

const lines: string[] = [];
const log = pino({}, { write: (line: string) => { lines.push(line); } });
beforeEach(() => { lines.length = 0; });

test('systemd hears of it; the watchdog is fed three times in its interval', async () => {
  const systemd = notifySocket();
  // libsystemd reads the environment of the process, not ours.
  process.env['NOTIFY_SOCKET'] = systemd.path;
  koffi.load('libc.so.6').func('int setenv(const char *name, const char *value, int overwrite)')('NOTIFY_SOCKET', systemd.path, 1);
  const notifier = systemdNotifier(log, { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '300000', WATCHDOG_PID: String(process.pid) });
  notifier.notify('READY=1');
  expect(systemd.next()).toBe('READY=1');
  expect(systemd.next()).toBeNull();
  // sd_notify(3): since when, in microseconds of the clock that does not stand still or go back.
  notifier.notify('RELOADING=1', 'one\nREADY=1');
  const [reloading, since, ...more] = (systemd.next() ?? '').split('\n');
  expect([reloading, more]).toEqual(['RELOADING=1', ['STATUS=one READY=1']]);
  expect(Number(since?.replace('MONOTONIC_USEC=', ''))).toBeCloseTo(Number(process.hrtime.bigint() / 1000n), -7);
  notifier.startWatchdog();
  await new Promise((resolve) => { setTimeout(resolve, 250); });
  notifier.stopWatchdog();
  expect(systemd.next()).toBe('WATCHDOG=1');
  while (systemd.next() !== null);
  await new Promise((resolve) => { setTimeout(resolve, 250); });
  expect(systemd.next()).toBeNull();
  // A start that has to bring large tables up to date is not killed for it.
  expect(await notifier.starting(() => Promise.resolve('started'))).toBe('started');
  expect(systemd.next()).toBe('EXTEND_TIMEOUT_USEC=30000000');
  systemd.close();
  expect(lines).toEqual([]);
});

test('a socket that is gone is logged and stops nothing', () => {
  koffi.load('libc.so.6').func('int setenv(const char *name, const char *value, int overwrite)')('NOTIFY_SOCKET', '/nowhere/notify', 1);
  systemdNotifier(log, { NOTIFY_SOCKET: '/nowhere/notify' }).notify('READY=1');
  expect(lines.join()).toContain('systemd was not told');
});

test('anywhere else nothing is sent, and a watchdog that belongs to another process is not fed', async () => {
  const systemd = notifySocket();
  koffi.load('libc.so.6').func('int setenv(const char *name, const char *value, int overwrite)')('NOTIFY_SOCKET', systemd.path, 1);
  systemdNotifier(log, {}).notify('READY=1');
  const other = systemdNotifier(log, { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '30000', WATCHDOG_PID: '1' });
  other.startWatchdog();
  await new Promise((resolve) => { setTimeout(resolve, 100); });
  expect(systemd.next()).toBeNull();
  systemd.close();
});
