import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectConfig } from '../../../server/config/loadConfig.ts';
import { problemText } from '../../../server/cli/failure.ts';
import { tempFolder } from '../../fixtures/service.ts';

/** What `config check` says of a file, as an operator reads it. */
function said(text: string): string {
  const file = join(tempFolder(), 'config.yaml');
  writeFileSync(file, text);
  return inspectConfig({ file }).problems.map(problemText).join('\n');
}

/** Typical mistakes, and the words that help at 3 am. */
test.each<[string, string, RegExp]>([
  ['a tab', 'server:\n\tport: 8080\n', /config\.yaml: Tabs are not allowed as indentation at line 2.*\n.*blanks before a key, no tabs/],
  ['a key a blank too far', 'server:\n  port: 8080\n   host: 127.0.0.1\n', /at line 2.*\n.*begin in the same column/],
  ['a key below the wrong one', 'server:\n  port: 8080\n  readOnly: true\n', /^ {2}server: unknown key readOnly \(it is a key of the top level: mind how far it is indented\)/],
  ['a mistyped key', 'acounts: []\n', /unknown key acounts \(did you mean accounts\?\)/],
  ['a key twice', 'server: { port: 1 }\nserver: { port: 2 }\n', /at line 2.*\n.*each key once/],
  ['a number in quotes', 'server: { port: "8080" }\n', /^ {2}server\.port: is a text: take the quotes away\n +is +"8080"\n +expected +a whole number from 0 to 65535\n +example +8080$/],
  ['a switch in quotes', 'readOnly: "true"\n', /^ {2}readOnly: is a text: take the quotes away/],
  ['a number with a unit', 'timeouts: { accountsMs: 10s }\n', /timeouts\.accountsMs: is not a whole number from 1 to 86400000\n +is +"10s"/],
  ['nothing behind a key', 'sessions:\n', /^ {2}sessions: is empty: give it a value, or take the line away/],
  ['an unknown driver', 'accounts: [{ driver: mysql, domains: ["*"] }]\n', /accounts\[0\]\.driver: "mysql" is not one of .*passwdFile, sql/],
  ['a driver without its list', 'sessions: { driver: embedded, name: web }\n', /^ {2}sessions: is not a list.*\n.*\n +example +\[\{ driver: dovecot/],
  ['a word for a mapping', 'host: groupOffice\n', /^ {2}host: is not a mapping of keys\n +is +"groupOffice"\n.*\n +example +\{ driver: embedded \}/],
  ['domains as a text', 'accounts: [{ driver: embedded, domains: example.com }]\n', /accounts\[0\]\.domains: is not a list; each element a text\n +is +"example\.com"\n.*\n +example +\[example\.com\]/],
  ['a star without quotes', 'accounts: [{ driver: embedded, domains: [*] }]\n', /in quotes: "\*"/],
  ['a secret in a file that is not there', 'state: { url: { file: /etc/nowhere } }\n', /^ {2}state\.url: \/etc\/nowhere cannot be read \(ENOENT: there is no such file\)$/],
  ['a folder in place of a file', 'state: { url: { file: /tmp } }\n', /state\.url: \/tmp cannot be read \(EISDIR: it is a folder\)/],
  ['an address without https', 'server: { publicUrl: mail.example.com }\n', /server\.publicUrl: .*valid URL\n +is +"mail\.example\.com"\n.*\n +example +https:\/\/mail\.example\.com/],
  ['a name twice', 'sessions: [{ driver: embedded, name: web }, { driver: embedded, name: web }]\n', /sessions: two stores have the name web/],
  ['a rule between keys', 'accounts: [{ driver: sql, domains: ["*"], url: "mysql://u:p@h/d" }]\n', /^ {2}accounts\[0\]: name a preset, or table[^\n]*$/],
  ['only words', 'hello\n', /a mapping of keys was expected/],
])('%s', (_name, text, words) => { expect(said(text)).toMatch(words); });

test.each([
  ['a database without scheme', 'accounts: [{ driver: sql, domains: ["*"], url: "u:very-secret@db/vmail", preset: postfixadmin }]\n'],
  ['a quote that is not closed', 'state: { url: "mysql://u:very-secret@h/d }\n'],
  ['a password with a colon', 'accounts: [{ driver: ldap, domains: ["*"], url: ldaps://h, bindDn: cn=x, bindPassword: very-secret: x }]\n'],
  ['a key of a driver at the top', 'url: mysql://u:very-secret@h/d\n'],
  ['no hash', 'administrators: [{ name: admin, passwordHash: very-secret, domains: ["*"] }]\n'],
])('%s is named, and its secret is not shown', (_name, text) => {
  expect(said(text)).toMatch(/\S/);
  expect(said(text)).not.toContain('very-secret');
});
