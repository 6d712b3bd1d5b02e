import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { remove, runToEnd, serviceFolder } from './process.ts';

export interface IssuedCertificate {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** The same as texts. */
  readonly pem: { readonly key: string; readonly cert: string };
}

export interface Authority {
  /** PEM file that a client trusts. */
  readonly ca: string;
  /**
   * `days` from now until it ends (negative: it has ended), for a name (with its address where that is `localhost`). With `owner` the key
   * is that system user's alone, as PostgreSQL asks for.
   */
  issue(file: string, options: { readonly days: number; readonly name?: string; readonly owner?: string }): IssuedCertificate;
  remove(): void;
}

const DAY_MS = 86_400_000;
const openssl = (args: readonly string[]): void => { runToEnd('openssl', args); };
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
/** As `openssl ca` takes it. */
const moment = (ms: number): string => `${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`;

/** An authority of the test's own that signs certificates of any age and name. */
export function makeAuthority(): Authority {
  const folder = serviceFolder('authority');
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('index.txt'), '');
  writeFileSync(at('index.txt.attr'), 'unique_subject = no\n');
  writeFileSync(at('serial'), '01\n');
  openssl(['req', '-x509', ...EC, '-days', '3650', '-subj', '/CN=Test authority', '-keyout', at('ca.key'), '-out', at('ca.pem')]);
  return {
    ca: at('ca.pem'),
    issue(file, { days, name = 'localhost', owner }) {
      writeFileSync(at('ca.cnf'), `[ca]\ndefault_ca = own\n[own]\ndatabase = ${at('index.txt')}\nserial = ${at('serial')}\nnew_certs_dir = ${folder}\ndefault_md = sha256\npolicy = any\nx509_extensions = ext\n[any]\ncommonName = supplied\n[ext]\nsubjectAltName = DNS:${name}${name === 'localhost' ? ',IP:127.0.0.1' : ''}\n`);
      const [key, request, certificate] = [at(`${file}.key`), at(`${file}.csr`), at(`${file}.pem`)];
      const end = Date.now() + days * DAY_MS;
      openssl(['req', ...EC, '-subj', `/CN=${name}`, '-keyout', key, '-out', request]);
      openssl(['ca', '-batch', '-config', at('ca.cnf'), '-cert', at('ca.pem'), '-keyfile', at('ca.key'), '-in', request, '-out', certificate, '-notext', '-startdate', moment(Math.min(Date.now(), end) - 30 * DAY_MS), '-enddate', moment(end)]);
      const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') };
      chmodSync(key, owner === undefined ? 0o644 : 0o600);
      if (owner !== undefined) runToEnd('chown', [owner, key]);
      return { certificate, key, pem: pair };
    },
    remove: () => { remove(folder); },
  };
}
