// Tries an account API (docs/account-api.openapi.yaml) from outside and says what holds:
//   npx tsx tests/suites/accountHttpConformance.ts --url https://accounts.provider.example/v1 --key-file KEY --accounts-file FILE
// FILE is JSON: {"first": {"address", "password"}, "second": {...}, "locked": {...}}; `locked` may be left out. Exit code 0: all holds.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ProbeAccount, probeAccountApi } from './accountHttpChecks.ts';

const { values } = parseArgs({ options: { url: { type: 'string' }, 'key-file': { type: 'string' }, 'accounts-file': { type: 'string' }, help: { type: 'boolean' } } });
const { url, 'key-file': keyFile, 'accounts-file': accountsFile } = values;
if (url === undefined || keyFile === undefined || accountsFile === undefined) {
  console.error('usage: accountHttpConformance --url URL --key-file FILE --accounts-file FILE');
  process.exit(values.help === true ? 0 : 2);
}
const accounts = JSON.parse(readFileSync(accountsFile, 'utf8')) as { first: ProbeAccount; second: ProbeAccount; locked?: ProbeAccount };
const counts = { holds: 0, fails: 0, 'not offered': 0 };
for await (const { sentence, outcome, detail } of probeAccountApi({ url: url.replace(/\/$/, ''), key: readFileSync(keyFile, 'utf8').trim(), ...accounts })) {
  counts[outcome] += 1;
  console.log(`${outcome.padEnd(11)} ${sentence}${detail === undefined ? '' : `\n            ${detail}`}`);
}
console.log(`\n${String(counts.holds)} hold, ${String(counts.fails)} fail, ${String(counts['not offered'])} not offered`);
process.exitCode = counts.fails === 0 ? 0 : 1;
