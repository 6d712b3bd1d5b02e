import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../module/config/configSchema.ts';
import { inspectConfig } from '../config/loadConfig.ts';
import { originOf } from '../config/layers.ts';
import { type Reference, referenceOf } from '../config/references.ts';
import { NOBODY } from '../dovecot/authCache.ts';
import { fail, type Finding, ok } from '../ports/diagnosis.ts';
import { Secret } from '../secret.ts';
import { connectState, type OpenedState } from '../state/stateDatabase.ts';
import { wire } from '../wiring.ts';
import { address as addressArgument, command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { ConfigError } from '../config/configProblem.ts';
import { imapServerFor, logInByImap } from './doctor/imap.ts';
import { KeptPassword } from './doctor/keptPassword.ts';
import { lookAtDrivers } from './doctor/lookAtDrivers.ts';
import { lookAtService } from './doctor/lookAtService.ts';
import { hasFailed, report, type Section } from './doctor/report.ts';
import { restoreKept } from './doctor/restore.ts';
import { writeTest } from './doctor/writeTest.ts';
import { becomeServiceUser, quietLog } from './openService.ts';
import { progress, readSecret } from './terminal.ts';

interface Options extends ConfigOption, JsonOption { readonly strict?: boolean; readonly writeTest?: string; readonly restore?: string; readonly imap?: string; readonly passwordStdin?: boolean }

const filesIn = (value: unknown): readonly string[] => {
  const reference: Reference | null = referenceOf(value);
  if (reference !== null) return reference.kind === 'file' ? [reference.name] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(filesIn) : [];
};

/** After the process became the service's user: what root can read is not what the service can. */
function readable(files: readonly string[]): Finding[] {
  return files.flatMap((file) => {
    try {
      accessSync(file, constants.R_OK);
      return [];
    } catch {
      return [fail('read', `the service's user cannot read ${file}`, 'give the file to the group of that user, mode 0640')];
    }
  });
}

/** Null where it cannot even be opened: its own section says why. */
function openedState(folder: string, { state: { url, previousUrl, tls } }: Config): OpenedState | null {
  try {
    return connectState(folder, url, previousUrl, tls);
  } catch {
    return null;
  }
}

/** Everything that `doctor` looks at. The configuration has been read before. */
async function look(config: Config, files: readonly string[], own: number, options: Options): Promise<Section[]> {
  const steps = progress();
  const step = (target: string): void => { steps.step(`Looking at ${target}`); };
  const imap = imapServerFor(options.imap, config);
  const refusedLogIn = imap === null ? null : async (): Promise<void> => { (await logInByImap(imap, NOBODY, new Secret('not-a-password')))?.close(); };
  const unread = readable(files);
  const first: Section = { target: 'configuration', findings: [...unread, ...(unread.length === 0 ? [ok('read', `good; ${String(own)} values of your own`)] : [])] };
  const { publicUrl, basePath } = config.server;
  // Before the first start there is no folder; looking must not leave one behind, perhaps root's.
  const exists = existsSync(resolve(config.dataDir));
  const folder = exists ? resolve(config.dataDir) : mkdtempSync(join(tmpdir(), 'mailbox-password-doctor-'));
  const state = config.state.url !== null || existsSync(join(folder, 'state.db')) ? openedState(folder, config) : null;
  try {
    return [
      first,
      ...await lookAtService(config, step),
      ...await lookAtDrivers(config, { dataDir: folder, clock: { now: () => Date.now() }, log: quietLog() }, { publicUrl, basePath, refusedLogIn }, state?.database ?? null, step),
    ];
  } finally {
    await state?.database.destroy();
    if (!exists) rmSync(folder, { recursive: true, force: true });
    steps.done();
  }
}

async function putBack(config: Config, mailbox: string): Promise<Section> {
  if (!new KeptPassword(config.dataDir, mailbox).exists()) return { target: `restore ${mailbox}`, findings: [fail('restore', `no write test of ${mailbox} left anything behind`, 'nothing was changed; `mailbox-password set` gives the mailbox a new password')] };
  const wiring = await wire(config, quietLog(), { beside: true });
  try {
    return { target: `restore ${mailbox}`, findings: await restoreKept(mailbox, wiring) };
  } finally {
    await wiring.close();
  }
}

async function tryWriting(config: Config, mailbox: string, current: string, options: Options): Promise<Section> {
  if (!existsSync(resolve(config.dataDir))) return { target: `write test ${mailbox}`, findings: [fail('change', 'not tried: dataDir is not there', 'start the service once. Nothing was changed')] };
  const wiring = await wire(config, quietLog(), { beside: true });
  try {
    return { target: `write test ${mailbox}`, findings: await writeTest({ address: mailbox, current, imap: imapServerFor(options.imap, config) }, wiring) };
  } finally {
    await wiring.close();
  }
}

/** A change needs none of these: a web server that is set up later, what people are told to type. Their failures are failures all the same. */
const BESIDE_A_CHANGE = new Set(['server', 'mailSettings', 'texts']);

/** `mailbox-password doctor`: connects to everything that is configured, and says what is good and what to do. */
export function doctorCommand(): Command {
  return command('doctor', 'connect to everything that is configured: a line each, and what to do', [
    'doctor', 'doctor --json --strict', 'doctor --imap 127.0.0.1:143:none', 'doctor --write-test test@example.com', 'doctor --restore test@example.com',
  ])
    .option('--strict', 'exit code 1 for warnings too')
    .option('--imap <host:port>', 'the mail server; :tls, :starttls or :none may follow (default: mailSettings.imap)')
    .option('--write-test <mailbox>', 'change the password of a test mailbox and back, and prove the log-out; asks for its current password', addressArgument)
    .option('--restore <mailbox>', 'put back the password of a test mailbox whose --write-test was interrupted or could not undo itself; looks at nothing else', addressArgument)
    .option('--password-stdin', 'read that current password from the standard input')
    .addOption(configOption()).addOption(jsonOption())
    .action(async (options: Options) => {
      const { config, problems, written, layers } = inspectConfig({ file: options.config, environment: process.env });
      if (config === null) throw new ConfigError(problems);
      const files = [...(options.config === undefined ? [] : [options.config]), ...filesIn(written)];
      const own = Object.keys(written).filter((key) => originOf(key, layers) !== 'default').length;
      const current = options.writeTest === undefined ? null : await readSecret({ question: `Current password of ${options.writeTest}`, fromStdin: options.passwordStdin === true });
      becomeServiceUser(config.dataDir);
      if (options.restore !== undefined) {
        report([await putBack(config, options.restore)], options);
        return;
      }
      const sections = await look(config, files, own, options);
      if (options.writeTest !== undefined && current !== null) {
        sections.push(hasFailed(sections.filter(({ target }) => !BESIDE_A_CHANGE.has(target))) ? { target: `write test ${options.writeTest}`, findings: [fail('change', 'not tried', 'mend the failures above first. Nothing was changed')] }
          : await tryWriting(config, options.writeTest, current, options));
      }
      report(sections, options);
    });
}
