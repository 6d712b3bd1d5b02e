import type { Wiring } from '../../../server/wiring.ts';
import { startService } from '../../fixtures/service.ts';
import { call, enterAdmin } from './panelClient.ts';

test('a cursor goes on with the list that it came from: in another search it is refused as one that was made up', async () => {
  // Every list has more.
  const decorate = (wiring: Wiring): Wiring => ({ ...wiring, accounts: { ...wiring.accounts, listMailboxes: async (query, options) => ({ ...(await wiring.accounts.listMailboxes({ ...query, cursor: null }, options)), nextCursor: 'next' }) } });
  const { app, stop } = await startService({ decorate });
  try {
    const admin = await enterAdmin(app);
    const list = (query: string) => call(app, admin, 'GET', `/admin/api/v1/mailboxes?domain=example.test${query}`);
    const cursor = encodeURIComponent(String((await list('&search=a')).body['nextCursor']));
    expect([(await list(`&search=a&cursor=${cursor}`)).status, (await list(`&search=b&cursor=${cursor}`)).status, (await list(`&cursor=${cursor}`)).status]).toEqual([200, 403, 403]);
  } finally {
    await stop();
  }
});
