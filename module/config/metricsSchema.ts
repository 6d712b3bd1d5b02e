import { array, number, object, string } from 'yup';
import { isAddressRange } from './addressRange.ts';

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/** `/metrics` stands on an address and port of its own, so that no proxy in front of the service makes it public by accident. */
export const metricsSchema = object({
  port: number().integer().min(0).max(65_535).nullable().defined().meta({ description: 'Port of /metrics (Prometheus), never that of the service itself; null = off', example: 9464 }),
  host: string().required().meta({ description: 'Address that /metrics listens on; one that is not loopback needs tokens or allow', example: '127.0.0.1' }),
  tokens: array(string().matches(/^[\x21-\x7e]{16,200}$/, '16 to 200 visible ASCII characters were expected').required()).required()
    .meta({ description: 'Bearer tokens that open /metrics; more than one while one is exchanged', example: [{ file: '/etc/mailbox-password/metrics.token' }], secret: true }),
  allow: array(string().required().test('range', 'an IP address or a range such as 10.0.0.0/8 was expected', (own) => isAddressRange(own ?? ''))).required()
    .meta({ description: 'Addresses and ranges that may ask for /metrics at all, as the connection shows them; [] = whoever reaches the port', example: ['10.0.0.9', '2001:db8::/64'] }),
}).noUnknown().required()
  .test('guarded', 'a token in metrics.tokens, or addresses in metrics.allow, are needed where metrics.host is not loopback', (own) => own.port === null || own.tokens.length > 0 || own.allow.length > 0 || LOOPBACK.test(own.host))
  .meta({ description: 'What Prometheus reads' });
