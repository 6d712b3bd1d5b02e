import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { DoveadmClient } from '../../../server/dovecot/doveadmClient.ts';
import { until } from '../../services/process.ts';

it('each request costs Dovecot a process: of many at once a few are sent, the others follow as those are answered', async () => {
  const open: ServerResponse[] = [];
  let [seen, most] = [0, 0];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      seen += 1;
      open.push(response);
      most = Math.max(most, open.length);
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const client = new DoveadmClient({ url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, apiKey: 'key' }, { now: () => Date.now() });
  const asked = Array.from({ length: 40 }, () => client.call('who', {}, AbortSignal.timeout(20_000)));
  try {
    await until('a few to be sent', async () => Promise.resolve(open.length >= 8));
    while (seen < asked.length || open.length > 0) {
      // Whatever else is on its way has time to come.
      await new Promise((resolve) => { setTimeout(resolve, 20); });
      for (const response of open.splice(0)) response.end('[["doveadmResponse",[],"0"]]');
    }
    expect((await Promise.all(asked)).length).toBe(40);
    expect(most).toBe(8);
  } finally {
    server.closeAllConnections();
    await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
  }
});
