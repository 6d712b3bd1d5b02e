import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const UNIT = 'mailbox-password.service';
/** Where systemd looks for a unit's own file and for what is laid over it (systemd.unit(5)), as far as an operator writes there. */
const FOLDERS = ['/etc/systemd/system', '/run/systemd/system', '/usr/local/lib/systemd/system'];

async function unitTexts(folders: readonly string[]): Promise<{ readonly unit: boolean; readonly text: string }> {
  const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
  const units = await Promise.all(folders.map((folder) => read(join(folder, UNIT))));
  const overlays = await Promise.all(folders.map(async (folder) => {
    const names = await readdir(join(folder, `${UNIT}.d`)).catch(() => []);
    return Promise.all(names.filter((name) => name.endsWith('.conf')).map((name) => read(join(folder, `${UNIT}.d`, name))));
  }));
  return { unit: units.some((text) => text !== ''), text: [...units, ...overlays.flat()].join('\n') };
}

/**
 * Whether the hardened unit of the package lets the service write to a folder. A command does not run in the unit's sandbox, so what it can
 * write says nothing. True where there is no such unit, or none that closes the system.
 */
export async function isWritableForUnit(folder: string, folders: readonly string[] = FOLDERS): Promise<boolean> {
  const { unit, text } = await unitTexts(folders);
  if (!unit || !/^ProtectSystem=strict$/m.test(text)) return true;
  const open = [...text.matchAll(/^ReadWritePaths=(.*)$/gm)].flatMap(([, paths = '']) => paths.split(/\s+/)).map((path) => path.replace(/^[-+]+/, '').replace(/\/+$/, '')).filter((path) => path !== '');
  return ['/var/lib/mailbox-password', ...open].some((path) => folder === path || folder.startsWith(`${path}/`));
}
