import koffi from 'koffi';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemdNotifier } from '../../../server/systemd/notify.ts';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)') as unknown as (domain: number, type: number, protocol: number) => number;
const bind = libc.func('int bind(int fd, void *address, unsigned int size)') as unknown as (fd: number, address: Buffer, size: number) => number;
const recv = libc.func('int64 recv(int fd, _Out_ uint8_t *buffer, size_t size, int flags)') as unknown as (fd: number, buffer: Buffer, size: number, flags: number) => number;
const close = libc.func('int close(int fd)') as unknown as (fd: number) => number;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** A datagram socket as systemd has it, which Node by itself cannot open. */
function listen() {
  const path = join(mkdtempSync(join(tmpdir(), 'mailbox-password-')), 'notify');
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX);
  address.write(path, 2);
  const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (bind(fd, address, address.length) !== 0) throw new Error('bind');
  return {
    path,
    next(): string | null {
      const buffer = Buffer.alloc(256);
      const length = recv(fd, buffer, buffer.length, MSG_DONTWAIT);
      return length < 0 ? null : buffer.toString('utf8', 0, length);
    },
    close: () => close(fd),
  };
}

const lines: string[] = [];
const log = pino({}, { write: (line: string) => { lines.push(line); } });
beforeEach(() => { lines.length = 0; });

test('systemd hears of it; the watchdog is fed three times in its interval', async () => {
  const systemd = listen();
  // libsystemd reads the environment of the process, not ours.
  process.env['NOTIFY_SOCKET'] = systemd.path;
  koffi.load('libc.so.6').func('int setenv(const char *name, const char *value, int overwrite)')('NOTIFY_SOCKET', systemd.path, 1);
  const notifier = systemdNotifier(log, { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '300000', WATCHDOG_PID: String(process.pid) });
  notifier.notify('READY=1');
  expect(systemd.next()).toBe('READY=1');
  expect(systemd.next()).toBeNull();
  notifier.startWatchdog();
  await new Promise((resolve) => { setTimeout(resolve, 250); });
  notifier.stopWatchdog();
  expect(systemd.next()).toBe('WATCHDOG=1');
  while (systemd.next() !== null);
  await new Promise((resolve) => { setTimeout(resolve, 250); });
  expect(systemd.next()).toBeNull();
  systemd.close();
  expect(lines).toEqual([]);
});

test('a socket that is gone is logged and stops nothing', () => {
  koffi.load('libc.so.6').func('int setenv(const char *name, const char *value, int overwrite)')('NOTIFY_SOCKET', '/nowhere/notify', 1);
  systemdNotifier(log, { NOTIFY_SOCKET: '/nowhere/notify' }).notify('READY=1');
  expect(lines.join()).toContain('systemd was not told');
});

test('anywhere else nothing is sent, and a watchdog that belongs to another process is not fed', async () => {
  const systemd = listen();
  koffi.load('libc.so.6').func('int setenv(const char *name, const char *value, int overwrite)')('NOTIFY_SOCKET', systemd.path, 1);
  systemdNotifier(log, {}).notify('READY=1');
  const other = systemdNotifier(log, { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '30000', WATCHDOG_PID: '1' });
  other.startWatchdog();
  await new Promise((resolve) => { setTimeout(resolve, 100); });
  expect(systemd.next()).toBeNull();
  systemd.close();
});
