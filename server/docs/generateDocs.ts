// `npm run docs`: writes the generated parts of the documents. `--check` only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../paths.ts';
import { annotatedDriverPart } from './annotatedDriverPart.ts';
import { commandLinePart } from './commandLinePart.ts';
import { configurationPart } from './configurationPart.ts';
import { errorsPart } from './errorsPart.ts';
import { withPart } from './markdown.ts';

const PARTS = [
  { file: 'configuration.md', name: 'keys', part: configurationPart },
  { file: 'errors.md', name: 'codes', part: errorsPart },
  { file: 'cli.md', name: 'commands', part: commandLinePart },
  { file: 'writing-a-driver.md', name: 'driver', part: annotatedDriverPart },
];

const stale: string[] = [];
for (const { file, name, part } of PARTS) {
  const path = join(packageRoot(), 'docs', file);
  const before = readFileSync(path, 'utf8');
  const after = withPart(before, name, part());
  if (after === before) continue;
  stale.push(`docs/${file}`);
  if (!process.argv.includes('--check')) writeFileSync(path, after);
}
if (process.argv.includes('--check') && stale.length > 0) {
  process.stderr.write(`${stale.join(', ')} not up to date: npm run docs\n`);
  process.exitCode = 1;
} else if (stale.length > 0) process.stdout.write(`written: ${stale.join(', ')}\n`);
