import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ModuleError } from '../../module/errors.ts';
import { inheritsGroup } from './diagnoseFile.ts';
import { readSnapshot } from './replaceFile.ts';

/** That this process could put another file in its place, with the same owner and group; rejects where it could not. */
export async function mustBeReplaceable(file: string): Promise<void> {
  const target = await realpath(file);
  await readSnapshot(target);
  await access(target, constants.R_OK | constants.W_OK);
  await access(dirname(target), constants.R_OK | constants.W_OK | constants.X_OK);
  const { uid, gid, nlink } = await stat(target);
  if (nlink > 1) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `${target} has a second name (hard link)` });
  const me = process.geteuid?.() ?? 0;
  const groups = [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])];
  if (me !== 0 && (uid !== me || (!groups.includes(gid) && !inheritsGroup(await stat(dirname(target)), gid)))) {
    throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: `${target} belongs to ${String(uid)}:${String(gid)}, which this service (${String(me)}) could not give a new file` });
  }
}
