import { isIP } from 'node:net';
import { boolean, number, object, string } from 'yup';
import { databaseOf, parseSqlUrl, SQL_URL_FORMS } from './sqlUrl.ts';

/** Options shared by the drivers that speak SQL. */
export const sqlUrl = string()
  .required()
  .test('sql-url', `url must be ${SQL_URL_FORMS}, with no other parameters`, (value) => parseSqlUrl(value) !== null)
  .meta({ secret: true, description: `Database: ${SQL_URL_FORMS}`, example: 'mysql://mailbox-password:secret@127.0.0.1:3306/vmail' });

/** Beside `url`. */
export const sqlPreviousUrl = string()
  .test('same-database', 'previousUrl must be the database of url, with the other user or password', (value, { parent }) =>
    value === undefined || (parseSqlUrl(value) !== null && databaseOf(value) === databaseOf(String((parent as { url?: unknown }).url))))
  .meta({ secret: true, description: 'While the password is exchanged: the same database with the other one, tried where the log-in is refused', example: { file: '/etc/mailbox-password/accounts.old.url' } });

export const sqlTls = object({
  ca: string().min(1).meta({ description: 'File with the certificates (PEM) that are trusted; the system\'s where it is left out', example: '/etc/ssl/certs/db-ca.pem' }),
  cert: string().min(1).meta({ description: 'File with the client\'s certificate (PEM), where the server asks for one', example: '/etc/mailbox-password/db.pem' }),
  key: string().min(1).meta({ description: 'File with the key (PEM) of that certificate', example: '/etc/mailbox-password/db.key' }),
  verify: boolean().meta({ description: 'Check the server\'s certificate and name; false only for trying things out (default true)', example: true }),
}).noUnknown().default(undefined).meta({ description: 'TLS to the database; `{}` trusts the system\'s certificates; left out: none', example: '{ ca: /etc/ssl/certs/db-ca.pem }' });

export const sqlPoolSize = number().integer().min(1).max(50).meta({ description: 'Connections held at most (default 4)', example: 4 });

export const sqlConnectTimeoutMs = number().integer().min(100).max(60_000).meta({ description: 'Milliseconds to wait for a connection (default 3000)', example: 3000 });

export const sqlQueryTimeoutMs = number().integer().min(100).max(300_000).meta({ description: 'Milliseconds after which a statement without an answer is given up with its connection (default 10000)', example: 10_000 });

/**
 * False for MariaDB by TLS at an IP address: its client library would compare the certificate with the name "localhost" there. For the
 * whole of a driver's options, with {@link SQL_TLS_NAME} as the message.
 */
export const isNamedForTls = ({ url, tls }: { readonly url: string; readonly tls?: { readonly verify?: boolean | undefined } | undefined }): boolean => {
  const target = parseSqlUrl(url);
  return target === null || target.dialect !== 'mysql' || target.socket !== null || tls === undefined || tls.verify === false || isIP(target.host) === 0;
};

export const SQL_TLS_NAME = 'url must name the host as its certificate does: with tls, MariaDB cannot be named by its IP address';
