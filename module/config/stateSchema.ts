import { boolean, object, string } from 'yup';

/** The database of the module itself. */
export const stateSchema = object({
  previousUrl: string().min(1).nullable().defined().meta({ description: 'While its password is exchanged: the same database with the other one, tried where the log-in is refused; null = none', example: { file: '/etc/mailbox-password/state.old.url' }, secret: true }),
  url: string().min(1).nullable().defined().meta({ description: 'Database of the module itself where several nodes share it: mysql://... or postgres://...; null = SQLite in dataDir', example: { file: '/etc/mailbox-password/state.url' }, secret: true }),
  tls: object({
    ca: string().min(1).meta({ description: 'File with the certificates (PEM) that are trusted; the system\'s where it is left out', example: '/etc/ssl/certs/db-ca.pem' }),
    cert: string().min(1).meta({ description: 'File with the client\'s certificate (PEM), where the server asks for one', example: '/etc/mailbox-password/state.pem' }),
    key: string().min(1).meta({ description: 'File with the key (PEM) of that certificate', example: '/etc/mailbox-password/state.key' }),
    verify: boolean().meta({ description: 'Check the server\'s certificate and name; false only for trying things out (default true)', example: true }),
  }).noUnknown().nullable().defined().default(undefined).meta({ description: 'TLS to the database of state.url; `{}` trusts the system\'s certificates; null = none', example: '{ ca: /etc/ssl/certs/db-ca.pem }' }),
}).noUnknown().required().meta({ description: 'The database of the module itself: owed log-outs, history, panel log-ins' });
