import { expect, test } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import type { AccountApi } from '../../../server/ports/accountApi.ts';
import type { Wiring } from '../../../server/wiring.ts';
import { ALICE, change, logIn, NEW, startService } from '../../fixtures/service.ts';

/** Far more than a look at a password takes here, and what such a look says of itself. */
const [QUEUE_MS, OWN_MS] = [300, 7];

test('how long a log-in that is under way may need is told to the session stores by the account API\'s own word, without what waited for its turn in this process', async () => {
  const told: (number | null | undefined)[] = [];
  const slow = (accounts: AccountApi): AccountApi => ({
    ...accounts,
    async verifyPassword(address, password, call) {
      const right = await accounts.verifyPassword(address, password, { signal: call.signal });
      await wait(QUEUE_MS);
      call.took?.(OWN_MS);
      return right;
    },
    changePassword: (address, current, next, { signal, ...call }) => accounts.changePassword(address, current, next, { signal, verifiedVersion: call.verifiedVersion ?? null }),
  });
  const decorate = (wiring: Wiring): Wiring => ({
    ...wiring, accounts: slow(wiring.accounts),
    stores: wiring.stores.map((store) => ({ ...store, revokeAll: (request, options) => { told.push(request.logInMs); return store.revokeAll(request, options); } })),
  });
  const service = await startService({ decorate });
  try {
    expect((await change(service.app, await logIn(service.app, ALICE), { currentPassword: ALICE.password, newPassword: NEW })).statusCode).toBe(200);
    expect(told).toEqual(service.wiring.stores.map(() => OWN_MS));
  } finally {
    await service.stop();
  }
});
