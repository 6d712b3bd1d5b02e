import { chmodSync, chownSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { diagnoseFile } from '../../../server/passwdFile/diagnoseFile.ts';
import { runAsUser } from '../../fixtures/runAsUser.ts';

/** The service's user and its group, and the mail server's group; no machine has names for them. */
const [UID, GID, MAIL] = [61_234, 61_235, 61_236];
const LINES = '# mailboxes\na@x.test:{PLAIN}x\n\nb@x.test:{PLAIN}y\n';

let folder: string;
let file: string;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'mailbox-password-diagnose-file-'));
  chmodSync(root, 0o755);
  folder = join(root, 'users.d');
  mkdirSync(folder);
  file = join(folder, 'users');
  writeFileSync(file, LINES);
  give();
});
afterEach(() => { rmSync(join(folder, '..'), { recursive: true, force: true }); });

/** As docs/drivers/accounts-passwdFile.md has it: the file is the service's, its group the mail server's, and so is what is made in the folder. */
function give({ owner = UID, group = MAIL, mode = 0o640, folderOwner = UID, folderGroup = MAIL, folderMode = 0o2750 } = {}): void {
  chownSync(file, owner, group);
  chmodSync(file, mode);
  chownSync(folder, folderOwner, folderGroup);
  chmodSync(folder, folderMode);
}
/** A machine without our unit, whatever this one has. */
const NO_UNIT = ['/nowhere'];
const asService = (path = file, units: readonly string[] = NO_UNIT): string[] => runAsUser([[UID, GID]], { file: path, units }).findings.map(({ level, check, text, todo }) => {
  // What is not well says what to do.
  expect(level === 'ok' || (todo ?? '') !== '').toBe(true);
  return `${level} ${check}: ${text}`;
});
const me = String(UID);

describe('as the service\'s user', () => {
  it('what docs/drivers/accounts-passwdFile.md sets up is well, and changes nothing', () => {
    expect(asService()).toEqual([`ok file: ${file}, 2 mailboxes`, 'ok owner: a new file in its place keeps owner and group', `ok folder: ${me} may make files in ${folder}`]);
  });

  it('a link is followed to the file itself, whose folder counts', () => {
    const link = join(folder, '..', 'link');
    symlinkSync(file, link);
    expect(asService(link)).toEqual(asService());
  });

  it('a folder that hands its group on is told from one that does not, and from one of another group', () => {
    give({ folderMode: 0o750, folderGroup: MAIL });
    expect(asService()[1]).toBe('warn owner: a new file in its place would not get its group by itself');
    give({ folderGroup: GID });
    expect(asService()[1]).toBe('warn owner: a new file in its place would not get its group by itself');
    give({ group: GID, folderMode: 0o750 });
    expect(asService()[1]).toBe('ok owner: a new file in its place keeps owner and group');
  });

  it('a hardened unit that keeps the folder read-only for the service is told, until it names the folder', () => {
    const units = join(folder, '..', 'units');
    mkdirSync(units);
    const unit = (paths: string): void => { writeFileSync(join(units, 'mailbox-password.service'), `[Service]\nProtectSystem=strict\n${paths}`); };
    unit('');
    expect(asService(file, [units])[2]).toBe(`fail folder: systemd keeps ${folder} read-only for the service`);
    unit(`ReadWritePaths=${folder}\n`);
    expect(asService(file, [units])[2]).toBe(`ok folder: ${me} may make files in ${folder}`);
  });

  it.each([
    ['another\'s file', { owner: 0, mode: 0o644 }, 'fail owner: the file is not'],
    ['a file that it may not read', { owner: 0, mode: 0o600 }, `fail file: ${me}, the service's user, cannot read`],
    ['a folder in which it may make nothing', { folderOwner: 0, folderMode: 0o2755 }, `fail folder: ${me} cannot make files in`],
    ['a folder that is closed', { folderOwner: 0, folderMode: 0o2700 }, 'fail file: '],
  ])('%s fails, and is named', (_what, own, expected) => {
    give(own);
    expect(asService().filter((line) => line.startsWith('fail'))).toEqual([expect.stringContaining(expected)]);
  });
});

it('what is not there, a folder and a second name (which would keep the old passwords) are told', async () => {
  const said = async (path: string): Promise<string[]> => (await diagnoseFile(path, NO_UNIT)).map(({ level, check, text }) => `${level} ${check}: ${text}`);
  expect(await said(join(folder, 'nobody'))).toEqual([expect.stringMatching(/^fail file: .*is not there/)]);
  expect(await said(folder)).toEqual([`fail file: ${folder} is not a file`]);
  linkSync(file, join(folder, 'second'));
  expect((await said(file)).filter((line) => line.startsWith('fail'))).toEqual([expect.stringContaining('has a second name')]);
});
