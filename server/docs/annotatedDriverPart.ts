import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../paths.ts';

/** The annotated driver, as it is compiled and tested. */
export const annotatedDriverPart = (): string => `\`\`\`ts\n${readFileSync(join(packageRoot(), 'tests', 'fixtures', 'folderSessions.ts'), 'utf8').trimEnd()}\n\`\`\``;
