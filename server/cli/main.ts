#!/usr/bin/env node
import { EXIT_CODES } from './exitCodes.ts';
import { failureOf } from './failure.ts';
import { buildProgram } from './program.ts';

// `audit export | head`: the reader went away; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') process.exit(0); });

try {
  await buildProgram().parseAsync();
} catch (error) {
  const { exit, text } = failureOf(error);
  if (text !== null) process.stderr.write(`${text}\n`);
  process.exitCode = EXIT_CODES[exit].code;
}
