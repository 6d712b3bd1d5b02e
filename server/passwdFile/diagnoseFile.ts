import { constants, type Stats } from 'node:fs';
import { access, readFile, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { isWritableForUnit } from '../diagnosis/unitFolders.ts';
import { fail, type Finding, ok, warn } from '../ports/diagnosis.ts';
import { passwdLines } from './passwdLines.ts';

const PAGE = 'docs/drivers/accounts-passwdFile.md, "Permissions", has the commands';

function me(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? 'this user');
  }
}

const may = (path: string, mode: number): Promise<boolean> => access(path, mode).then(() => true, () => false);

/** A file made in this folder has that group at once, without a chown (which the hardened unit may not do). */
export const inheritsGroup = (folder: Stats, gid: number): boolean => (folder.mode & 0o2000) !== 0 && folder.gid === gid;

/** What a change of a passwd-file needs of file and folder, a line each. Changes nothing. `units` are systemd's folders of units where they are not the machine's. */
export async function diagnoseFile(file: string, units?: readonly string[]): Promise<readonly Finding[]> {
  const target = await realpath(file).catch(() => null);
  if (target === null) return [fail('file', `${file} is not there, or its folder is closed to ${me()}`, `check the path; ${PAGE}`)];
  if (!await may(target, constants.R_OK)) return [fail('file', `${me()}, the service's user, cannot read ${target}`, PAGE)];
  const [own, folder] = [await stat(target), await stat(dirname(target))];
  if (!own.isFile()) return [fail('file', `${target} is not a file`, 'name the passwd-file itself')];
  const findings: Finding[] = [ok('file', `${target}, ${String([...passwdLines(await readFile(target))].length)} mailboxes`)];
  if (own.nlink > 1) findings.push(fail('file', `${target} has a second name (hard link), which would keep the old passwords`, 'leave one of the names'));
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0 && own.uid !== uid) findings.push(fail('owner', `the file is not ${me()}'s, so a new one in its place would have another owner`, PAGE));
  else if (uid !== 0 && own.gid !== process.getegid?.() && !inheritsGroup(folder, own.gid)) {
    findings.push(warn('owner', 'a new file in its place would not get its group by itself', `chgrp ${String(own.gid)} ${dirname(target)} && chmod g+s ${dirname(target)}`));
  } else findings.push(ok('owner', 'a new file in its place keeps owner and group'));
  if (!await may(dirname(target), constants.R_OK | constants.W_OK | constants.X_OK)) findings.push(fail('folder', `${me()} cannot make files in ${dirname(target)}`, `${PAGE}: give the file a folder of its own`));
  else if (!await isWritableForUnit(dirname(target), units)) findings.push(fail('folder', `systemd keeps ${dirname(target)} read-only for the service`, `put deploy/mailbox-password.service.d/passwd-file.conf in place (ReadWritePaths=${dirname(target)}); ${PAGE}`));
  else findings.push(ok('folder', `${me()} may make files in ${dirname(target)}`));
  return findings;
}
