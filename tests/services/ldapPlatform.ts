import { type Dovecot, type DovecotOptions, startDovecot } from './dovecot.ts';
import type { Slapd } from './slapd.ts';

/** Dovecot lets in whom a directory lets in (`auth_bind`), found by the address. */
export const passdbOnLdap = (slapd: Slapd): Pick<DovecotOptions, 'passdb' | 'files'> => ({
  passdb: { driver: 'ldap', file: 'ldap.conf' },
  files: { 'ldap.conf': `uris = ${slapd.url}
ldap_version = 3
auth_bind = yes
dn = ${slapd.serviceDn}
dnpass = ${slapd.servicePassword}
base = ou=people,${slapd.baseDn}
pass_filter = (&(objectClass=inetOrgPerson)(mail=%u))
pass_attrs = mail=user
` },
});

export const dovecotOnLdap = (slapd: Slapd, more: Omit<DovecotOptions, 'passdb' | 'files'> = {}): Promise<Dovecot> => startDovecot({ ...more, ...passdbOnLdap(slapd) });
