import { expect, it } from '@jest/globals';
import { patience } from '../../../server/dovecot/patience.ts';

it('is short on a calm machine, grows with what the change has cost, and has an end', () => {
  expect(patience(12, 25)).toBeLessThan(120);
  expect(patience(1, 0)).toBe(60);
  expect(patience(12, 300)).toBeGreaterThan(600);
  expect(patience(100, 25)).toBeGreaterThan(400);
  expect(patience(10_000, 10_000)).toBe(2_500);
});

it('does not take an unknown time for none', () => {
  expect(patience(12, null)).toBeGreaterThan(200);
});
