import { ALICE, NEW } from '../../fixtures/service.ts';
import { enter, startProcess } from '../../fixtures/serviceProcess.ts';

jest.setTimeout(180_000);

test('20 reloads under continuous requests: none is dropped, and the policy of each is visible', async () => {
  const service = await startProcess();
  const browser = await enter(service.url);
  const context = async () => {
    const answer = await fetch(`${service.url}/mailbox-password/api/v1/context`, { headers: { cookie: browser.cookie } });
    if (answer.status !== 200) throw new Error(`${String(answer.status)} ${await answer.text()}`);
    return (await answer.json()) as { policy: { minLength: number }; writable: boolean };
  };
  let asking = true;
  let answered = 0;
  const failures: string[] = [];
  const seen = new Set<number>();
  const ask = async (): Promise<void> => {
    while (asking) {
      await context().then(({ policy }) => { answered += 1; seen.add(policy.minLength); }, (error: unknown) => { failures.push(String(error)); });
    }
  };
  const askers = Array.from({ length: 4 }, ask);
  for (let time = 1; time <= 20; time += 1) {
    service.write({ policy: { preset: 'default', minLength: 8 + time } });
    service.signal('SIGHUP');
    await service.says('the configuration was read again', time);
    expect((await context()).policy.minLength).toBe(8 + time);
  }
  asking = false;
  await Promise.all(askers);
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(100);
  expect(seen.size).toBeGreaterThan(10);
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});

test('a change under way during a reload ends under the old configuration; read-only holds for the next one, and log-outs go on', async () => {
  const service = await startProcess({}, { slowChangeMs: 1500 });
  const [browser, other] = [await enter(service.url), await enter(service.url)];
  const changing = browser.change(ALICE.password, NEW);
  await service.says('changing');
  service.write({ readOnly: true });
  service.signal('SIGHUP');
  await service.says('the configuration was read again');
  const refused = await other.change(ALICE.password, 'Third!Harvest44');
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'READ_ONLY', changed: 'no' }]);
  const answer = await changing;
  expect([answer.status, await answer.json()]).toMatchObject([200, { revocation: 'done' }]);
  // The old one let go of the database only after its change.
  const fresh = await enter(service.url, { address: ALICE.address, password: NEW });
  expect(fresh.status).toBe(200);
  service.write({});
  service.signal('SIGHUP');
  await service.says('the configuration was read again', 2);
  expect((await fresh.change(NEW, 'Third!Harvest44')).status).toBe(200);
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});

test('a configuration with problems is refused: every one is said, the old one goes on', async () => {
  const service = await startProcess();
  service.write({ policy: { preset: 'default', minLength: 12, minLenght: 3 }, readOnly: 'yes' });
  service.signal('SIGHUP');
  await service.says('the one before goes on');
  expect(service.text()).toMatch(/"problem":"readOnly/);
  expect(service.text()).toMatch(/"problem":"policy: .*minLenght/);
  // One that only shows when its drivers are made.
  service.write({ sessions: [{ driver: 'redis', name: 'web' }] });
  service.signal('SIGHUP');
  await service.says('the one before goes on', 2);
  expect(service.text()).toMatch(/"problem":"sessions\[0\]/);
  const browser = await enter(service.url);
  expect((await browser.change(ALICE.password, NEW)).status).toBe(200);
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});

test('what needs a restart is named and stays; the rest is read', async () => {
  const service = await startProcess();
  service.write({ server: { port: 1 }, dataDir: '/nowhere', state: { url: 'mysql://u:p@127.0.0.1:1/other' }, readOnly: true });
  service.signal('SIGHUP');
  await service.says('the configuration was read again');
  for (const key of ['server.port', 'dataDir', 'state.url']) expect(service.text()).toContain(`"key":"${key}"`);
  const browser = await enter(service.url);
  expect(await (await browser.change(ALICE.password, NEW)).json()).toMatchObject({ code: 'READ_ONLY' });
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
});
