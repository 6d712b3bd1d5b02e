import { array, number, object, string } from 'yup';

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/** `/metrics` stands on an address and port of its own, so that no proxy in front of the service makes it public by accident. */
export const metricsSchema = object({
  port: number().integer().min(0).max(65_535).nullable().defined().meta({ description: 'Port of /metrics (Prometheus), never that of the service itself; null = off', example: 9464 }),
  host: string().required().meta({ description: 'Address that /metrics listens on; one that is not loopback needs a token', example: '127.0.0.1' }),
  tokens: array(string().matches(/^[\x21-\x7e]{16,200}$/, '16 to 200 visible ASCII characters were expected').required()).required()
    .meta({ description: 'Bearer tokens that open /metrics; more than one while one is exchanged', example: [{ file: '/etc/mailbox-password/metrics.token' }], secret: true }),
}).noUnknown().required()
  .test('guarded', 'a token is needed in metrics.tokens where metrics.host is not loopback', (own) => own.port === null || own.tokens.length > 0 || LOOPBACK.test(own.host))
  .meta({ description: 'What Prometheus reads' });
