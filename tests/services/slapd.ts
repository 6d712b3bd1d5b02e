import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { freePort, remove, run, type Running, runToEnd, type Service, serviceFolder, started } from './process.ts';

export interface Slapd extends Service {
  readonly url: string;
  readonly baseDn: string;
  readonly managerDn: string;
  readonly managerPassword: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

export const answers = (port: number): Promise<boolean> => new Promise((resolve) => {
  const socket = createConnection(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => { resolve(false); });
});

/** Debian's slapd with the ppolicy overlay. `extra` goes into slapd.conf before the database, `ldif` below `dc=example,dc=test`. */
export async function startSlapd({ ldif, policy = '', extra = '', tls = false }: { ldif: string; policy?: string; extra?: string; tls?: boolean }): Promise<Slapd> {
  const folder = serviceFolder('slapd');
  const port = await freePort();
  const baseDn = 'dc=example,dc=test';
  const managerDn = `cn=manager,${baseDn}`;
  mkdirSync(join(folder, 'data'));
  if (tls) runToEnd('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]);
  writeFileSync(join(folder, 'slapd.conf'), `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile ${folder}/pid
${tls ? `TLSCertificateFile ${folder}/cert.pem\nTLSCertificateKeyFile ${folder}/key.pem` : ''}
${extra}
database mdb
suffix "${baseDn}"
rootdn "${managerDn}"
rootpw manager-secret
directory ${folder}/data
index objectClass,mail,uid eq
overlay ppolicy
ppolicy_default "cn=default,ou=policies,${baseDn}"
ppolicy_use_lockout
access to attrs=userPassword by self write by anonymous auth by * none
access to * by self read by users read by anonymous read
`);
  writeFileSync(join(folder, 'seed.ldif'), `dn: ${baseDn}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,${baseDn}
objectClass: organizationalUnit
ou: people

dn: ou=policies,${baseDn}
objectClass: organizationalUnit
ou: policies

dn: cn=default,ou=policies,${baseDn}
objectClass: pwdPolicy
objectClass: device
cn: default
pwdAttribute: userPassword
${policy}
${ldif}`);
  runToEnd('slapadd', ['-f', join(folder, 'slapd.conf'), '-l', join(folder, 'seed.ldif')]);
  let running: Running | undefined;
  const start = async (): Promise<void> => {
    running = run('slapd', ['-d', '0', '-f', join(folder, 'slapd.conf'), '-h', `ldap://127.0.0.1:${String(port)}/`]);
    await started(running, () => answers(port));
  };
  await start();
  return {
    port, folder, baseDn, managerDn, managerPassword: 'manager-secret', url: `ldap://127.0.0.1:${String(port)}`,
    async kill() { await running?.kill(); },
    start,
    async stop() { await running?.kill(); remove(folder); },
  };
}
