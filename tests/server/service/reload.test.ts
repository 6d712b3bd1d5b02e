import { ALICE, NEW } from '../../fixtures/service.ts';
import { cli } from '../../fixtures/cli.ts';
import { notifySocket } from '../../fixtures/notifySocket.ts';
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

test('`mailbox-password reload` returns when nothing of the old configuration is at work any more, and tells a refusal by its exit code; systemd hears the same', async () => {
  const systemd = notifySocket();
  const service = await startProcess({ timeouts: { accountsMs: 60_000, sessionsMs: 5000, hostMs: 5000 } }, { slowChangeMs: 20_000, env: { NOTIFY_SOCKET: systemd.path } });
  expect(await systemd.until(/READY=1/)).toEqual(['EXTEND_TIMEOUT_USEC=30000000', `READY=1\nSTATUS=Serving at ${service.url}`]);
  const reload = () => cli(['reload', '-c', service.file]);
  const browser = await enter(service.url);
  let ended = false;
  const changing = browser.change(ALICE.password, NEW).then((answer) => { ended = true; return answer; });
  await service.says('changing');
  const done = await reload();
  expect([done.status, done.stdout, ended]).toEqual([0, 'The configuration was read again; nothing of the one before is at work any more.\n', true]);
  expect((await changing).status).toBe(200);
  const heard = await systemd.until(/READY=1/);
  expect(heard[0]).toMatch(/^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=Reading/);
  expect(heard.at(-1)).toMatch(/^READY=1\nSTATUS=Serving at .*; configuration read 20\d\d-/);

  service.write({ policy: { preset: 'default', minLenght: 3 }, readOnly: 'yes' });
  const refused = await reload();
  expect([refused.status, refused.stderr]).toEqual([78, expect.stringMatching(/refused; the one before goes on:\n[\s\S]*readOnly[\s\S]*minLenght|refused; the one before goes on:\n[\s\S]*minLenght[\s\S]*readOnly/)]);
  expect((await systemd.until(/READY=1/)).at(-1)).toMatch(/^READY=1\nSTATUS=Serving with the configuration before: the new one was REFUSED .* \(and 1 more\)/);
  // Right by itself, and its database does not answer.
  service.write({ accounts: [{ driver: 'sql', domains: ['*'], url: 'mysql://u:S3cr3t-Mark@127.0.0.1:1/x', preset: 'postfixadmin', scheme: 'NOSUCH' }] });
  const unknown = await reload();
  expect([unknown.status, unknown.stderr.includes('S3cr3t-Mark')]).toEqual([78, false]);
  service.write({ server: { port: 1 } });
  expect(await reload()).toMatchObject({ status: 0, stderr: expect.stringContaining('server.port needs a restart') as string });
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
  const gone = await reload();
  expect([gone.status, gone.stderr]).toEqual([1, expect.stringContaining('Nothing was changed')]);
  systemd.close();
});
