import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Authority, makeAuthority } from '../../../services/authority.ts';

const PASSWORD = 'Wonder-land-7';
const root = join(__dirname, '..', '..', '..', '..');
const hash = createHash('sha1').update(PASSWORD).digest('hex').toUpperCase();
let authority: Authority;
beforeAll(() => { authority = makeAuthority(); });
afterAll(() => { authority.remove(); });

async function ask(certificate: { readonly key: string; readonly cert: string }, env: Record<string, string>) {
  const seen: string[] = [];
  const server = createServer(certificate, (request, response) => {
    seen.push(String(request.url));
    response.end(`${hash.slice(5)}:3\r\n`);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'tests/fixtures/askBreachList.ts', url, PASSWORD], { cwd: root, env: { PATH: process.env['PATH'] ?? '', ...env }, timeout: 60_000 });
  server.closeAllConnections();
  await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
  return { verdict: stdout, seen };
}

test('a mirror whose authority the process was told to trust is asked over TLS', async () => {
  expect(await ask(authority.issue('good', { days: 30 }).pem, { NODE_EXTRA_CA_CERTS: authority.ca })).toEqual({ verdict: 'violated', seen: [`/range/${hash.slice(0, 5)}?mode=sha1`] });
}, 90_000);

test.each([
  ['of an authority that nobody trusts', {}, () => authority.issue('stranger', { days: 30 })],
  ['of another name', { ca: true }, () => authority.issue('other', { days: 30, name: 'other.example.test' })],
  ['that has ended', { ca: true }, () => authority.issue('ended', { days: -2 })],
] as const)('a certificate %s: not a digit is sent', async (_name, { ca = false }: { ca?: boolean }, issue) => {
  expect(await ask(issue().pem, ca ? { NODE_EXTRA_CA_CERTS: authority.ca } : {})).toEqual({ verdict: 'unknown', seen: [] });
}, 90_000);
