import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { pino } from 'pino';
import { loadConfig } from '../../../server/config/loadConfig.ts';
import { openState } from '../../../server/state/stateDatabase.ts';
import { wire } from '../../../server/wiring.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { type Authority, makeAuthority } from '../../services/authority.ts';
import { type MariaDb, startMariaDb } from '../../services/mariadb.ts';
import { type Postgres, startPostgres } from '../../services/postgres.ts';

/** The state database as an operator of several nodes has it: TLS alone, and a certificate of the client's own. */
describe('the state database over TLS', () => {
  let authority: Authority;
  let postgres: Postgres;
  let mariadb: MariaDb;
  let tls: { readonly ca: string; readonly cert: string; readonly key: string };
  beforeAll(async () => {
    authority = makeAuthority();
    const client = authority.issue('client', { days: 30, name: 'state' });
    tls = { ca: authority.ca, cert: client.certificate, key: client.key };
    const [forPostgres, forMaria] = [authority.issue('postgres', { days: 30, owner: 'postgres' }), authority.issue('mariadb', { days: 30 })];
    [postgres, mariadb] = await Promise.all([
      startPostgres(['ssl=on', `ssl_cert_file=${forPostgres.certificate}`, `ssl_key_file=${forPostgres.key}`, `ssl_ca_file=${authority.ca}`]),
      startMariaDb(() => [`--ssl-cert=${forMaria.certificate}`, `--ssl-key=${forMaria.key}`, `--ssl-ca=${authority.ca}`]),
    ]);
    await postgres.query('CREATE USER state; GRANT CREATE, USAGE ON SCHEMA public TO state');
    const hba = join(postgres.folder, 'data/pg_hba.conf');
    writeFileSync(hba, `hostssl mail state 127.0.0.1/32 cert\nhost mail state 127.0.0.1/32 reject\n${readFileSync(hba, 'utf8')}`);
    await postgres.query('SELECT pg_reload_conf()');
    await mariadb.administer("CREATE DATABASE state; CREATE USER 'state'@'%' IDENTIFIED BY 'state-secret' REQUIRE X509; GRANT ALL ON state.* TO 'state'@'%'");
  }, 120_000);
  afterAll(async () => { await Promise.all([postgres.stop(), mariadb.stop()]); authority.remove(); }, 60_000);

  const urlOf = (engine: string): string => (engine === 'postgres' ? `postgres://state@localhost:${String(postgres.port)}/mail` : `mysql://state:state-secret@localhost:${String(mariadb.port)}/state`);
  const encrypted = {
    postgres: sql<{ cipher: string }>`select cipher from pg_stat_ssl where pid = pg_backend_pid()`,
    mariadb: sql<{ cipher: string }>`select variable_value as cipher from information_schema.session_status where variable_name = 'SSL_CIPHER'`,
  } as const;

  it.each(['postgres', 'mariadb'] as const)('%s: encrypted, with the client\'s certificate; not without one, not in the clear, not to an unknown authority', async (engine) => {
    const url = urlOf(engine);
    const { database } = await openState(tempFolder(), url, null, tls);
    const { rows: [row] } = await encrypted[engine].execute(database);
    expect(row?.cipher).toMatch(/AES|CHACHA/);
    await database.destroy();
    for (const wrong of [null, { ca: tls.ca }, { cert: tls.cert, key: tls.key }]) await expect(openState(tempFolder(), url, null, wrong)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  }, 60_000);

  it.each(['postgres', 'mariadb'] as const)('%s: a whole service keeps its state there; a file that cannot be read is a problem of the configuration, by its path', async (engine) => {
    const state = { url: urlOf(engine), tls };
    const config = (more: Record<string, unknown> = {}) => loadConfig({ overrides: { dataDir: tempFolder(), state: { ...state, ...more } } });
    const wiring = await wire(config(), pino({ level: 'silent' }));
    await wiring.outbox.record({ changeId: 'over-tls', address: 'alice@example.test', stores: ['web'], passwordVersion: null, settleAfter: 0 });
    expect((await wiring.outbox.list(10)).map(({ changeId }) => changeId)).toContain('over-tls');
    expect(wiring.certificates).toContainEqual({ target: 'state', endpoint: expect.objectContaining({ host: 'localhost' }) });
    await wiring.close();
    await expect(wire(config({ tls: { ...tls, ca: '/nowhere/ca.pem' } }), pino({ level: 'silent' }))).rejects.toMatchObject({ problems: ['state.tls.ca: /nowhere/ca.pem cannot be read (ENOENT)'] });
  }, 60_000);

  it('refuses what cannot be meant', () => {
    const problems = (state: Record<string, unknown>): string => {
      try {
        loadConfig({ overrides: { state } });
        return '';
      } catch (error) {
        return String((error as { problems: string[] }).problems);
      }
    };
    expect(problems({ tls })).toMatch(/^state\.tls: stands without state\.url/);
    expect(problems({ url: 'mysql://state:state-secret@127.0.0.1/state', tls })).toMatch(/^state\.url: url must name the host as its certificate does/);
    expect(problems({ url: urlOf('postgres'), tls: { cert: tls.cert } })).toMatch(/^state\.tls: cert and key belong together/);
    expect(problems({ url: urlOf('postgres'), tls: { sslmode: 'require' } })).toMatch(/^state\.tls: unknown key sslmode/);
    expect(problems({ url: urlOf('postgres'), tls: {} })).toBe('');
  });
});
