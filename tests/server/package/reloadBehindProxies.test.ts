import { changesUnderLoad } from '../../fixtures/changesUnderLoad.ts';
import { BOB } from '../../fixtures/service.ts';
import { enter, startProcess } from '../../fixtures/serviceProcess.ts';
import { startWebServer, webServerPorts } from '../../services/webServer.ts';

jest.setTimeout(300_000);

const RELOADS = 20;
const REQUESTS = 1_000;
const ASKERS = 8;
const CAROL = { address: 'carol@mail.test', password: 'Singing-bells-9' };
const PATHS = ['/mailbox-password/panel/', '/mailbox-password/api/v1/context', '/mailbox-password/locales/user-panel/en.json', '/mailbox-password/admin/'];

test.each(['nginx', 'apache'] as const)('behind %s: 20 reloads of another configuration each within 1,000 requests, and people who change their passwords meanwhile: every answer is good', async (kind) => {
  const service = await startProcess();
  const ports = await webServerPorts();
  const web = await startWebServer(kind, Number(new URL(service.url).port), ports, undefined, { inner: true });
  const { cookie } = await enter(service.url);
  const changes = changesUnderLoad({ url: web.http, mailboxes: [BOB, CAROL] });

  const bad: string[] = [];
  let answered = 0;
  let wanted: { readonly at: number; readonly resolve: () => void } | undefined;
  /** Resolves when so many were answered. */
  const until = (at: number): Promise<void> => new Promise((resolve) => { wanted = { at, resolve }; });
  const minLength = async (): Promise<number> => {
    const answer = await fetch(`${web.http}/mailbox-password/api/v1/context`, { headers: { cookie } });
    return ((await answer.json()) as { policy: { minLength: number } }).policy.minLength;
  };
  let asking = true;
  const ask = async (first: number): Promise<void> => {
    for (let time = first; asking; time += 1) {
      const path = PATHS[time % PATHS.length] ?? '';
      await fetch(web.http + path, { headers: { cookie } }).then(async (answer) => {
        await answer.arrayBuffer();
        if (answer.status !== 200) bad.push(`${path}: ${String(answer.status)}`);
      }, (error: unknown) => { bad.push(`${path}: ${String(error)}`); });
      answered += 1;
      if (wanted !== undefined && answered >= wanted.at) wanted.resolve();
    }
  };
  const askers = Array.from({ length: ASKERS }, (_, first) => ask(first));
  for (let reload = 1; reload <= RELOADS; reload += 1) {
    await until(Math.ceil(reload * REQUESTS / RELOADS));
    service.write({ policy: { preset: 'default', minLength: 8 + reload % 4 } });
    service.signal('SIGHUP');
    await service.says('the configuration was read again', reload);
    expect(await minLength()).toBe(8 + reload % 4);
  }
  await changes.more(1);
  await changes.stop();
  asking = false;
  await Promise.all(askers);
  expect(answered).toBeGreaterThanOrEqual(REQUESTS);
  expect(bad).toEqual([]);
  expect(changes.failures).toEqual([]);
  expect(web.errorLog()).not.toMatch(/upstream|\[proxy\w*:error\]/);
  service.signal('SIGTERM');
  expect(await service.exited).toBe(0);
  await web.stop();
});
