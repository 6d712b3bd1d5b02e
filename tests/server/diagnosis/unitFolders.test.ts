import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isWritableForUnit } from '../../../server/diagnosis/unitFolders.ts';

const MAIL = '/etc/dovecot/passwd';

/** Folders as systemd reads them: the unit of the package in the first, what an operator laid over it in the second. */
function folders(unit: string | null, overlay: Readonly<Record<string, string>> = {}): readonly string[] {
  const [own, over] = [mkdtempSync(join(tmpdir(), 'mailbox-password-unit-')), mkdtempSync(join(tmpdir(), 'mailbox-password-unit-'))];
  if (unit !== null) writeFileSync(join(own, 'mailbox-password.service'), unit);
  mkdirSync(join(over, 'mailbox-password.service.d'));
  for (const [name, text] of Object.entries(overlay)) writeFileSync(join(over, 'mailbox-password.service.d', name), text);
  return [own, over, '/nowhere'];
}
const STRICT = '[Service]\nProtectSystem=strict\nStateDirectory=mailbox-password\n';

test('without a unit, or with one that closes nothing, every folder is open', async () => {
  expect(await isWritableForUnit(MAIL, folders(null))).toBe(true);
  expect(await isWritableForUnit(MAIL, folders('[Service]\nProtectSystem=full\n'))).toBe(true);
});

test('a hardened unit lets the service write to its own folder and to what ReadWritePaths names, also laid over it', async () => {
  expect(await isWritableForUnit('/var/lib/mailbox-password/mail', folders(STRICT))).toBe(true);
  expect(await isWritableForUnit(MAIL, folders(STRICT))).toBe(false);
  expect(await isWritableForUnit(MAIL, folders(STRICT, { 'mail.conf': '[Service]\nReadWritePaths=/srv -/etc/dovecot/passwd/\n' }))).toBe(true);
  expect(await isWritableForUnit(join(MAIL, 'example.com'), folders(STRICT, { 'mail.conf': `[Service]\nReadWritePaths=+${MAIL}\n` }))).toBe(true);
});

test('what only looks like it is no permission: a longer name beside it, a file that is no .conf, a comment', async () => {
  expect(await isWritableForUnit(`${MAIL}-old`, folders(STRICT, { 'mail.conf': `ReadWritePaths=${MAIL}\n` }))).toBe(false);
  expect(await isWritableForUnit(MAIL, folders(STRICT, { 'mail.conf.bak': `ReadWritePaths=${MAIL}\n` }))).toBe(false);
  expect(await isWritableForUnit(MAIL, folders(STRICT, { 'mail.conf': `# ReadWritePaths=${MAIL}\n` }))).toBe(false);
});
