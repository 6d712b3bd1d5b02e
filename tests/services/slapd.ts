import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { makeCertificate } from '../fixtures/certificate.ts';
import { freePort, remove, run, type Running, runToEnd, type Service, serviceFolder, started } from './process.ts';

export interface Slapd extends Service {
  readonly url: string;
  /** Encrypted from the start; 0 without `tls`. */
  readonly tlsPort: number;
  /** The certificate, which is its own authority: for `localhost` and 127.0.0.1. */
  readonly certificate: string;
  readonly baseDn: string;
  /** The directory's own root: above every rule and policy. */
  readonly managerDn: string;
  readonly managerPassword: string;
  readonly serviceDn: string;
  readonly servicePassword: string;
  kill(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

export const answers = (port: number): Promise<boolean> => new Promise((resolve) => {
  const socket = createConnection(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => { resolve(false); });
});

/** `cn=service` may search and set passwords, its entry is in the seed; the owner may write the own password. */
const ACCESS = `access to attrs=userPassword by self write by dn.base="cn=service,dc=example,dc=test" write by anonymous auth by * none
access to * by dn.base="cn=service,dc=example,dc=test" read by self read by * none`;

interface SlapdOptions {
  /** Entries below `dc=example,dc=test`. */
  readonly ldif: string;
  /** Attributes of the default password policy. */
  readonly policy?: string;
  /** Goes into slapd.conf before the database. */
  readonly extra?: string;
  readonly access?: string;
  /** True: a certificate that is its own authority. */
  readonly tls?: boolean | { readonly certificate: string; readonly key: string };
  readonly ppolicy?: boolean;
  /** How addresses are indexed. */
  readonly mailIndex?: 'eq' | 'eq,sub';
}

/** Debian's slapd with the ppolicy overlay. */
export async function startSlapd({ ldif, policy = '', extra = '', access = ACCESS, tls = false, ppolicy = true, mailIndex = 'eq' }: SlapdOptions): Promise<Slapd> {
  const folder = serviceFolder('slapd');
  const [port, tlsPort] = [await freePort(), tls === false ? 0 : await freePort()];
  const baseDn = 'dc=example,dc=test';
  const managerDn = `cn=manager,${baseDn}`;
  mkdirSync(join(folder, 'data'));
  const own = tls === true ? makeCertificate() : undefined;
  const pair = typeof tls === 'object' ? tls : own;
  writeFileSync(join(folder, 'slapd.conf'), `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile ${folder}/pid
${pair === undefined ? '' : `TLSCertificateFile ${pair.certificate}\nTLSCertificateKeyFile ${pair.key}`}
${extra}
database mdb
suffix "${baseDn}"
rootdn "${managerDn}"
rootpw manager-secret
directory ${folder}/data
maxsize 1073741824
index objectClass,uid eq
index mail ${mailIndex}
${ppolicy ? `overlay ppolicy\nppolicy_default "cn=default,ou=policies,${baseDn}"\nppolicy_use_lockout` : ''}
${access}
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

dn: cn=service,${baseDn}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: service
userPassword: service-secret

${ldif}`);
  runToEnd('slapadd', ['-f', join(folder, 'slapd.conf'), '-l', join(folder, 'seed.ldif')]);
  let running: Running | undefined;
  const start = async (): Promise<void> => {
    running = run('slapd', ['-d', '0', '-f', join(folder, 'slapd.conf'), '-h', `ldap://127.0.0.1:${String(port)}/${tls !== false ? ` ldaps://127.0.0.1:${String(tlsPort)}/` : ''}`]);
    await started(running, () => answers(port));
  };
  await start();
  return {
    port, tlsPort, certificate: pair?.certificate ?? '', folder, baseDn, managerDn, managerPassword: 'manager-secret', serviceDn: `cn=service,${baseDn}`, servicePassword: 'service-secret', url: `ldap://127.0.0.1:${String(port)}`,
    async kill(signal) { await running?.kill(signal); },
    start,
    async stop() { await running?.kill(); own?.remove(); remove(folder); },
  };
}
