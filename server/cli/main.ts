#!/usr/bin/env node
import { version } from '../paths.ts';

// `audit export | head`: the reader went away; that is no error of ours. What the command had found out so far still counts.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') process.exit(); });
// Nobody reads what went wrong or how far it is: it is done all the same.
process.stderr.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error; });

const words = process.argv.slice(2);

async function run(): Promise<void> {
  const [{ EXIT_CODES }, { failureOf }, { buildProgram }, { printJson }] = await Promise.all([import('./exitCodes.ts'), import('./failure.ts'), import('./program.ts'), import('./terminal.ts')]);
  try {
    await buildProgram(words).parseAsync();
  } catch (error) {
    const { exit, text, json } = failureOf(error);
    if (text !== null) process.stderr.write(`${text}\n`);
    // A program that asked for JSON gets it in every case.
    if (exit !== 'OK' && words.includes('--json')) printJson({ error: { ...json, exitCode: EXIT_CODES[exit].code } });
    process.exitCode = EXIT_CODES[exit].code;
  }
}

// Asked by scripts, often; the rest takes a second to load.
if (words.length === 1 && ['--version', '-V'].includes(words[0] ?? '')) process.stdout.write(`${version()}\n`);
else await run();
