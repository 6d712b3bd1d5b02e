import { ALICE, startService } from '../../fixtures/service.ts';
import { call, enterUser } from './panelClient.ts';

test('a late log-out ends what was opened before the change and never what was opened with the new password (I2)', async () => {
  let ahead = 0;
  const service = await startService({ system: () => Date.now() + ahead });
  try {
    const { app, wiring } = service;
    const status = async (panel: Awaited<ReturnType<typeof enterUser>>) => (await call(app, panel, 'GET', '/panel/api/v1/session')).status;
    const before = await enterUser(app, ALICE);
    ahead += 10_000;
    const changedAt = wiring.clock.now();
    ahead += 10_000;
    const after = await enterUser(app, ALICE);
    for (let tries = 0; tries < 2; tries += 1) {
      await wiring.panels.sessions.revokeAll(ALICE.address, changedAt);
      expect([await status(before), await status(after)]).toEqual([401, 200]);
    }
  } finally {
    await service.stop();
  }
});
