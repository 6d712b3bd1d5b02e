import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sql } from 'kysely';
import type { Config } from '../../../module/config/configSchema.ts';
import { reasonOf, tlsFinding, urlTlsFinding } from '../../diagnosis/findings.ts';
import { diagnoseSql } from '../../diagnosis/sqlConnection.ts';
import { createStateNoticeOutbox } from '../../drivers/noticeOutbox/state.ts';
import { fail, type Finding, ok, warn } from '../../ports/diagnosis.ts';
import type { NoticeSummary } from '../../ports/noticeOutbox.ts';
import { sqlDialectOf } from '../../sql/sqlUrl.ts';
import { connectState, type OpenedState, type StateDatabase, stateVersion } from '../../state/stateDatabase.ts';
import { keptAddresses } from './keptPassword.ts';
import { lookAtRateLimit } from './lookAtRateLimit.ts';
import { lookAtTexts } from './lookAtTexts.ts';
import type { Section } from './report.ts';

const LOW_SPACE_BYTES = 100 * 1024 * 1024;

function dataDir(config: Config): Finding[] {
  const folder = resolve(config.dataDir);
  if (!existsSync(folder)) return [warn('folder', `${folder} is not there yet`, 'start the service once, or create it for the service\'s user with mode 0700')];
  const findings: Finding[] = [];
  const { mode } = statSync(folder);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    findings.push((mode & 0o077) === 0 ? ok('folder', `${folder} is ours alone`) : warn('folder', `${folder} is open to others (mode 0${(mode & 0o777).toString(8)})`, `chmod 700 ${folder}`));
  } catch {
    findings.push(fail('folder', `${folder} cannot be written by this user`, 'give it to the service\'s user, and run this command as that user or as root'));
  }
  try {
    for (const address of keptAddresses(folder)) findings.push(warn('write test', `a test of ${address} was not undone: it has a temporary password`, `\`mailbox-password doctor --restore ${address}\``));
  } catch (error) {
    findings.push(warn('write test', `what a test left behind cannot be read (${reasonOf(error)})`, `look into ${join(folder, 'write-test')}`));
  }
  const { bavail, bsize } = statfsSync(folder);
  const free = Number(bavail) * Number(bsize);
  findings.push(free > LOW_SPACE_BYTES ? ok('space', `${String(Math.round(free / 1024 / 1024))} MB are free`) : fail('space', `only ${String(Math.round(free / 1024 / 1024))} MB are free`, 'make room: a change that cannot be written down is refused'));
  return findings;
}

/** A few minutes are usual where a relay asks to be asked again (greylisting). */
const NOTICE_LATE_MS = 900_000;

function noticesFinding({ count, oldestHappenedAt }: NoticeSummary): Finding {
  const minutes = oldestHappenedAt === null ? 0 : Math.round((Date.now() - oldestHappenedAt) / 60_000);
  if (oldestHappenedAt === null || Date.now() - oldestHappenedAt < NOTICE_LATE_MS) return ok('notices', count === 0 ? 'none waits' : `${String(count)} on their way`);
  return warn('notices', `${String(count)} wait, the oldest for ${String(minutes)} minutes`, 'see `mailbox-password outbox list`, and notify below');
}

/** MariaDB: names and mail programs in other alphabets, and emoji, fit only into utf8mb4. The audit log writes what does not fit in a readable other way. */
async function characterSetFinding(database: StateDatabase): Promise<Finding> {
  const { rows } = await sql<{ named: string; collation: string | null }>`select 'database' as named, @@collation_database as collation union all
    select table_name, table_collation from information_schema.tables where table_schema = database() and table_name in ('outbox', 'audit', 'notice', 'panel_session')`.execute(database);
  const others = rows.filter(({ collation }) => collation?.startsWith('utf8mb4') === false);
  if (others.length === 0) return ok('characters', 'utf8mb4');
  return warn('characters', others.map(({ named, collation }) => `${named} is ${String(collation)}`).join(', '),
    'ALTER DATABASE ... CHARACTER SET utf8mb4, and ALTER TABLE ... CONVERT TO CHARACTER SET utf8mb4 for each table named; until then letters that do not fit stand in the history as \\u{...}');
}

async function state(config: Config, signal: AbortSignal): Promise<Finding[]> {
  const folder = resolve(config.dataDir);
  const { url, previousUrl, tls } = config.state;
  if (url === null && !existsSync(join(folder, 'state.db'))) return [warn('version', 'there is no state database yet', 'start the service, or run `mailbox-password migrate up`')];
  let opened: OpenedState;
  try {
    opened = connectState(folder, url, previousUrl, tls);
  } catch (error) {
    return [fail('tls', reasonOf(error), 'check the files of state.tls, and that the service\'s user may read them')];
  }
  try {
    const findings: Finding[] = url === null ? [] : await diagnoseSql({ url, tls: tls ?? undefined }, opened.database as unknown as Parameters<typeof diagnoseSql>[1], [], signal);
    if (findings.some(({ level, check }) => level === 'fail' && check === 'log-in')) return findings;
    if (opened.shared && url !== null && sqlDialectOf(url) === 'mysql') findings.push(await characterSetFinding(opened.database));
    const { applied, pending, newer } = await stateVersion(opened.database);
    if (newer.length > 0) findings.push(warn('version', `of a newer version of this program (${newer.join(', ')})`, 'upgrade this node too: it works beside newer ones and after a rollback, one release back and not for good (docs/operations.md#upgrade)'));
    if (pending.length > 0) findings.push(warn('version', `${String(pending.length)} steps are left: ${pending.join(', ')}`, 'the service does them when it starts; or run `mailbox-password migrate up`'));
    if (newer.length + pending.length === 0) findings.push(ok('version', `up to date (${applied.at(-1) ?? 'empty'})`));
    if (pending.includes('001_outbox_and_audit')) return findings;
    const { count } = await opened.database.selectFrom('outbox').select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow();
    findings.push(Number(count) === 0 ? ok('outbox', 'no log-out is owed') : warn('outbox', `${String(count)} log-outs are owed`, 'see `mailbox-password outbox list`'));
    if (!pending.includes('004_notices')) findings.push(noticesFinding(await createStateNoticeOutbox(opened.database, { now: () => Date.now() }).summary()));
    return findings;
  } catch (error) {
    return [fail('version', reasonOf(error), 'check the owner of the files in dataDir, or state.url')];
  } finally {
    await opened.database.destroy();
  }
}

/** Before the first start the usual case is that the step with the web server has not been taken yet. */
const webServerFinding = (found: Finding): Finding => (found.level === 'fail' && found.text.startsWith('no TLS with')
  ? fail(found.check, found.text, 'nothing with TLS answers there: set up the web server in front (docs/install.md), or correct server.publicUrl') : found);

async function reachedBy(config: Config, signal: AbortSignal): Promise<Finding[]> {
  const { publicUrl, trustProxy } = config.server;
  const findings: Finding[] = [];
  const trusts = trustProxy !== false && !(Array.isArray(trustProxy) && trustProxy.length === 0);
  if (publicUrl === null) findings.push(config.host.driver === 'embedded' ? ok('address', 'publicUrl is not set: for trying things out') : warn('address', 'server.publicUrl is not set', 'set it to the https address that people see: cookies are marked secure by it, and requests of other sites refused'));
  else findings.push(publicUrl.startsWith('https:') ? webServerFinding(await urlTlsFinding(publicUrl, signal)) : fail('address', `${publicUrl} is not https: passwords can be read on the way`, 'put a proxy with TLS in front (docs/install.md)'));
  const { wrongPasswordsPerMailbox: mailbox, wrongPasswordsPerAddress: address } = config.rateLimit;
  const limits = `${String(mailbox.points)} wrong passwords a mailbox in ${String(mailbox.windowSeconds)} s, ${String(address.points)} a client address in ${String(address.windowSeconds)} s`;
  findings.push(publicUrl !== null && !trusts ? warn('rate limit', `${limits}; server.trustProxy is not set, so everybody behind the proxy is one address`, 'set server.trustProxy to the proxy') : ok('rate limit', limits));
  if (config.readOnly) findings.push(warn('maintenance', 'readOnly is true: nobody can change a password', 'set it to false when the maintenance is over'));
  return findings;
}

/** The mail server as people type it into their mail program. */
async function mailSettings(config: Config, signal: AbortSignal): Promise<Finding[]> {
  const named = [['imap', config.mailSettings?.imap], ['smtp', config.mailSettings?.smtp]] as const;
  const findings: Finding[] = [];
  for (const [kind, server] of named) {
    if (server === undefined || server === null) continue;
    if (server.encryption === 'none') findings.push(warn('tls', `people are told to use ${kind} without encryption`, 'offer tls or starttls'));
    else findings.push(await tlsFinding({ host: server.host, port: server.port, ...(server.encryption === 'starttls' && { before: kind }) }, signal));
  }
  return findings;
}

/** What is not a driver: the address, limits, the folder, the state, what people are told. */
export async function lookAtService(config: Config, step: (target: string) => void): Promise<Section[]> {
  const signal = (): AbortSignal => AbortSignal.timeout(15_000);
  const sections: Section[] = [];
  const look = async (target: string, work: () => Promise<Finding[]> | Finding[]): Promise<void> => {
    step(target);
    const findings = await work();
    if (findings.length > 0) sections.push({ target, findings });
  };
  await look('server', () => reachedBy(config, signal()));
  await look('dataDir', () => dataDir(config));
  await look('state', () => state(config, signal()));
  if (config.rateLimit.redis !== null) await look('rateLimit redis', () => lookAtRateLimit(config, signal()));
  await look('texts', () => lookAtTexts(config));
  await look('mailSettings', () => mailSettings(config, signal()));
  return sections;
}

