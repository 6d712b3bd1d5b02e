import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { remove, runToEnd, serviceFolder } from './process.ts';

/** A certificate of its own for loopback, as PEM, and the file that a client trusts it by. */
export function makeCertificate(name = 'localhost') {
  const folder = serviceFolder('certificate');
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  runToEnd('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
    '-addext', `subjectAltName=DNS:${name}${name === 'localhost' ? ',IP:127.0.0.1' : ''}`, '-keyout', keyFile, '-out', certFile]);
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), caFile: certFile, remove: () => { remove(folder); } };
}
