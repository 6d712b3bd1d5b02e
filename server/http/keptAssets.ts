import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

/** A name that changes with the content: what two builds both have under it is the same. */
const HASHED = /\.[0-9a-f]{12}\.(?:js|css)(?:\.(?:br|gz))?$/;
/** A page that stays open longer without a reload asks for the log-in anew long before. */
const KEPT_MS = 30 * 24 * 3_600_000;

/**
 * Keeps this build's chunks beside those of earlier ones, so that a page opened before an upgrade still finds its own. Answers the
 * folder; null where it cannot be written (then such a page loads the section anew).
 */
export function keepAssets(built: string, dataDir: string, now = Date.now()): string | null {
  const folder = join(dataDir, 'assets');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    for (const name of readdirSync(built).filter((file) => HASHED.test(file))) {
      const [kept, partial] = [join(folder, name), join(folder, `${name}.${String(process.pid)}`)];
      // Whole or not at all: another node may start at the same time.
      copyFileSync(join(built, name), partial);
      utimesSync(partial, now / 1000, now / 1000);
      renameSync(partial, kept);
    }
    for (const name of readdirSync(folder)) {
      if (now - statSync(join(folder, name)).mtimeMs > KEPT_MS) rmSync(join(folder, name));
    }
    return folder;
  } catch {
    return null;
  }
}
