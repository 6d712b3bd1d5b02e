#!/usr/bin/env node
import { EXIT_CODES } from './exitCodes.ts';
import { failureOf } from './failure.ts';
import { buildProgram } from './program.ts';
import { printJson } from './terminal.ts';

// `audit export | head`: the reader went away; that is no error of ours. What the command had found out so far still counts.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') process.exit(); });
// Nobody reads what went wrong or how far it is: it is done all the same.
process.stderr.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error; });

const words = process.argv.slice(2);
try {
  await buildProgram(words).parseAsync();
} catch (error) {
  const { exit, text, json } = failureOf(error);
  if (text !== null) process.stderr.write(`${text}\n`);
  // A program that asked for JSON gets it in every case.
  if (exit !== 'OK' && words.includes('--json')) printJson({ error: { ...json, exitCode: EXIT_CODES[exit].code } });
  process.exitCode = EXIT_CODES[exit].code;
}
