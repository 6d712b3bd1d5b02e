import { isAddressRange } from '../../../module/config/addressRange.ts';

test.each(['127.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '255.255.255.255/32', '::1', '2001:db8::/32', 'fe80::/10', '::ffff:192.0.2.1', '::/0', '2001:DB8::1/128'])('%s is one', (text) => {
  expect(isAddressRange(text)).toBe(true);
});

test.each(['', 'localhost', '127.0.0', '127.0.0.256', '127.0.0.1/33', '10.0.0.0/08', '10.0.0.0/8/8', '10.0.0.0/', '10.0.0.0/-1', '::1/129', ':::1', 'fe80::1%eth0', '[::1]', 'loopback', '1.2.3.4, 5.6.7.8', ' 127.0.0.1', '2001:db8::g'])('"%s" is none', (text) => {
  expect(isAddressRange(text)).toBe(false);
});
