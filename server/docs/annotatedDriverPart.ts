import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../paths.ts';

/** Where the annotated driver would lie as a driver of ours, and where it lies (tests alone may use it). */
const PLACE: readonly (readonly [string, string])[] = [["'../../module/", "'../../../module/"], ["'../../server/drivers/", "'../"], ["'../../server/", "'../../"]];

/** The annotated driver, as it is compiled and tested; its imports are those of a file in `server/drivers/sessions/`. */
function annotatedDriver(): string {
  const tested = readFileSync(join(packageRoot(), 'tests', 'fixtures', 'folderSessions.ts'), 'utf8').trimEnd();
  return PLACE.reduce((text, [from, to]) => text.replaceAll(from, to), tested);
}

export const annotatedDriverPart = (): string => `\`\`\`ts\n${annotatedDriver()}\n\`\`\``;
