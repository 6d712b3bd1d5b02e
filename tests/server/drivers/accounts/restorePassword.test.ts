import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import passwdFile from '../../../../server/drivers/accounts/passwdFile.ts';
import { Secret } from '../../../../server/secret.ts';

const ALICE = 'alice@example.test';
const within = () => ({ signal: AbortSignal.timeout(20_000) });

it('passwd-file: what was stored comes back byte by byte, and only while nobody else wrote', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailbox-password-'));
  const file = join(folder, 'users');
  const text = `# ours\n${ALICE}:{PLAIN}Wonder-land-7:1:1::/home/a::userdb_quota=1\nbob@example.test:{PLAIN}x\n`;
  writeFileSync(file, text);
  chmodSync(file, 0o600);
  const api = await passwdFile.create(passwdFile.options.validateSync({ file, scheme: 'SHA512-CRYPT' }, { strict: true }) as never, { name: 'passwdFile', dataDir: folder, clock: { now: () => Date.now() }, log: pino({ level: 'silent' }) });
  const stored = await api.storedPassword?.(ALICE, within());
  expect(stored?.reveal()).toBe('{PLAIN}Wonder-land-7');
  expect(await api.storedPassword?.('nobody@example.test', within())).toBeNull();
  await api.setPassword(ALICE, new Secret('Fresh!Harvest42'), within());
  const expectedVersion = await api.passwordVersion(ALICE, within());
  await api.setPassword(ALICE, new Secret('Third!Harvest44'), within());
  const kept = { stored: stored as Secret, typed: null };
  await expect(api.restorePassword?.(ALICE, kept, { ...within(), expectedVersion })).rejects.toMatchObject({ code: 'ACCOUNT_CHANGED_MEANWHILE' });
  await api.restorePassword?.(ALICE, kept, within());
  expect(readFileSync(file, 'utf8')).toBe(text);
}, 60_000);
