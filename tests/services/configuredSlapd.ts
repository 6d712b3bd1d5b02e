import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, remove, run, runToEnd, serviceFolder, started } from './process.ts';
import { answers } from './slapd.ts';

const ADMIN_PASSWORD = 'admin-secret';

/** What Debian's package sets up (cn=config, `dc=example,dc=com`, its access rules and administrator), on free ports, with one entry below ou=people. */
export async function startConfiguredSlapd({ certificate, key }: { readonly certificate: string; readonly key: string }, person: string) {
  const folder = serviceFolder('slapd');
  const [port, tlsPort] = [await freePort(), await freePort()];
  const hash = (password: string): string => spawnSync('slappasswd', ['-s', password], { encoding: 'utf8' }).stdout.trim();
  for (const inside of ['config', 'data']) mkdirSync(join(folder, inside));
  const asRoot = 'gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth';
  writeFileSync(join(folder, 'config.ldif'), `dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: ${folder}/pid
olcTLSCertificateFile: ${certificate}
olcTLSCertificateKeyFile: ${key}

dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/nis.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif

dn: olcDatabase={0}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {0}config
olcAccess: to * by dn.exact=${asRoot} manage by * break

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcSuffix: dc=example,dc=com
olcDbDirectory: ${folder}/data
olcRootDN: cn=admin,dc=example,dc=com
olcRootPW: ${hash(ADMIN_PASSWORD)}
olcAccess: {0}to attrs=userPassword by self write by anonymous auth by * none
olcAccess: {1}to attrs=shadowLastChange by self write by * read
olcAccess: {2}to * by * read
`);
  writeFileSync(join(folder, 'data.ldif'), `dn: dc=example,dc=com
objectClass: top
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

${person}`);
  const adminPasswordFile = join(folder, 'admin.password');
  writeFileSync(adminPasswordFile, ADMIN_PASSWORD, { mode: 0o600 });
  runToEnd('slapadd', ['-n', '0', '-F', join(folder, 'config'), '-l', join(folder, 'config.ldif')]);
  runToEnd('slapadd', ['-n', '1', '-F', join(folder, 'config'), '-l', join(folder, 'data.ldif')]);
  const socketUrl = `ldapi://${encodeURIComponent(join(folder, 'ldapi'))}`;
  const [url, tlsUrl] = [`ldap://127.0.0.1:${String(port)}`, `ldaps://127.0.0.1:${String(tlsPort)}`];
  const running = run('slapd', ['-d', '0', '-F', join(folder, 'config'), '-h', `${url} ${tlsUrl} ${socketUrl}`]);
  await started(running, () => answers(port));
  return { url, tlsUrl, socketUrl, adminPasswordFile, hash, async stop() { await running.kill(); remove(folder); } };
}
