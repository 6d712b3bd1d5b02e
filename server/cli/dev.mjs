// `npm run dev`: rebuilds the client and restarts the server on every save; an open page of the embedded host reloads itself.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';

mkdirSync('dist/client', { recursive: true });
const run = (args) => spawn('npx', args, { stdio: 'inherit' });
const parts = [run(['webpack', '--config', 'webpack.config.mjs', '--mode', 'development', '--watch']), run(['tsx', 'watch', 'server/cli/main.ts', 'serve'])];
const stop = () => parts.forEach((part) => part.kill('SIGTERM'));
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
parts.forEach((part) => part.on('exit', stop));
