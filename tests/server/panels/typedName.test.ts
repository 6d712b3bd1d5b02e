import { startService } from '../../fixtures/service.ts';
import { enterAdmin, history } from './panelClient.ts';

test('a password that was typed where the name belongs stands neither in the history nor in the log; who is known there is named (I6)', async () => {
  const service = await startService();
  try {
    const slipped = 'Slipped-into-1-name';
    for (const name of [slipped, 'admin']) expect((await enterAdmin(service.app, { name, password: 'x' })).status).toBe(401);
    expect((await history(service.wiring)).map(({ actor }) => actor).sort()).toEqual(['admin', 'unknown']);
    expect(service.lines.join('')).not.toContain(slipped);
  } finally {
    await service.stop();
  }
});
