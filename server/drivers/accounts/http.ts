import { readFileSync } from 'node:fs';
import { ModuleError } from '../../../module/errors.ts';
import { accountLists } from '../../accountHttp/accountLists.ts';
import { createAsker } from '../../accountHttp/askAccountApi.ts';
import { type Operation, type OperationName, type Operations, speaksOf } from '../../accountHttp/describedApi.ts';
import { createHttpCaller } from '../../accountHttp/httpCaller.ts';
import { dropUndefined, httpOptions } from '../../accountHttp/httpOptions.ts';
import { addressParts, foldedAddress, isAddress, isSendable } from '../../addressForm.ts';
import { HTTP_PRESETS } from '../../accountHttp/presets.ts';
import { readAccount, timeAt, toAccount, type ToldAccount } from '../../accountHttp/readAccount.ts';
import { diagnoseUrl } from '../../diagnosis/findings.ts';
import { urlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import type { AccountApi, ChangeReceipt, SetOptions } from '../../ports/accountApi.ts';
import type { Secret } from '../../secret.ts';
import { defineAccountDriver } from '../defineDriver.ts';

/** RFC 2606: nobody's, for ever. */
const NOBODY = 'mailbox-password-check@mailbox-password.invalid';
const WRONG = new Set(['CURRENT_PASSWORD_WRONG', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_LOCKED']);

const misconfigured = (detail: string): ModuleError => new ModuleError('ACCOUNTS_MISCONFIGURED', { detail });
/** What a description calls a mark that is made, or taken away. */
const markOf = ({ mark }: Operation, required: boolean): string | number | boolean | null => {
  const value = required ? mark?.on : mark?.off;
  return value === undefined ? required : value as string | number | boolean | null;
};

function readCertificates(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw misconfigured(`caFile ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** A provider's account API over HTTP, as the configuration describes it. */
export default defineAccountDriver({
  name: 'http',
  summary: "A provider's account API over HTTP, described in the configuration; presets for mailcow and for our own small API.",
  options: httpOptions,
  async create(given): Promise<AccountApi> {
    const preset = given.preset === undefined ? undefined : HTTP_PRESETS[given.preset];
    const operations: Operations = { ...preset?.operations, ...dropUndefined(given.operations) };
    const caller = createHttpCaller({ baseUrl: new URL(given.baseUrl), ca: readCertificates(given.caFile), timeoutMs: given.timeoutMs ?? 10_000 });
    const ask = createAsker({
      caller, retries: given.retries ?? 1, maxAnswerBytes: given.maxAnswerBytes ?? 262_144, maxListBytes: given.maxListBytes ?? 16_777_216,
      headers: { ...(given.apiKey !== undefined && preset !== undefined && preset.keyHeader(given.apiKey)), ...given.headers },
    });
    const lists = accountLists(ask);
    const maxPasswordBytes = given.maxPasswordBytes === undefined ? (preset?.maxPasswordBytes ?? null) : given.maxPasswordBytes;
    const refused = (given.refusedPasswords ?? preset?.refusedPasswords ?? []).map((expression) => new RegExp(expression, 'iu'));

    function described(name: OperationName): Operation {
      const operation = operations[name];
      if (operation === undefined) throw new ModuleError('OPERATION_NOT_SUPPORTED', { detail: `the account API has no ${name}` });
      return operation;
    }

    async function lookUp(operation: Operation, address: string, signal: AbortSignal): Promise<ToldAccount | null> {
      let answer: unknown;
      try {
        answer = await ask('find', operation, addressParts(address), signal);
      } catch (error) {
        if (error instanceof ModuleError && error.code === 'ACCOUNT_NOT_FOUND') return null;
        throw error;
      }
      const told = readAccount(answer, operation.result ?? {}, address);
      if (told === null) throw misconfigured('find: the answer holds no address where its description says');
      return foldedAddress(told.address) === foldedAddress(address) ? told : null;
    }

    /** Before a write: the API must know exactly this mailbox, and be the one that keeps its password. */
    async function mustBeChangeable(address: string, expectedVersion: string | null, signal: AbortSignal): Promise<ToldAccount | undefined> {
      const found = operations.find === undefined ? undefined : await lookUp(operations.find, address, signal);
      if (found === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
      if (found?.changeable === false) throw new ModuleError('ACCOUNT_NOT_CHANGEABLE', { detail: 'its password is kept elsewhere' });
      // Read just before the write, for an API that does not compare it within.
      if (expectedVersion !== null && typeof found?.version === 'string' && found.version !== expectedVersion) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
      return found;
    }

    async function answers(signal: AbortSignal): Promise<void> {
      if (operations.check !== undefined) await ask('check', operations.check, {}, signal);
      else if (operations.find !== undefined) await lookUp(operations.find, NOBODY, signal);
      else await lists.domains(described('listDomains'), '', signal);
    }

    function mustBeTakeable(password: string): void {
      if (maxPasswordBytes !== null && Buffer.byteLength(password) > maxPasswordBytes) {
        throw new ModuleError('PASSWORD_TOO_LONG_FOR_SCHEME', { params: { max: maxPasswordBytes } });
      }
      if (!isSendable(password) || refused.some((expression) => expression.test(password))) {
        throw new ModuleError('PASSWORD_REJECTED_BY_SERVER', { detail: 'the account API would take it for something else' });
      }
    }

    async function write(name: 'change' | 'set', address: string, current: Secret | null, next: Secret, { signal, expectedVersion = null, requireChange = false }: SetOptions): Promise<ChangeReceipt> {
      const operation = described(name);
      if (requireChange && !speaksOf(operation, 'mark')) throw new ModuleError('OPERATION_NOT_SUPPORTED');
      if (signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
      if (!isAddress(address)) throw new ModuleError('ACCOUNT_NOT_FOUND');
      if (current !== null && !isSendable(current.reveal())) throw new ModuleError('CURRENT_PASSWORD_WRONG');
      mustBeTakeable(next.reveal());
      // An owner who changes is told nothing before the current password was judged, so only a description that needs it looks first.
      const looks = name === 'set' || operations.find?.result?.changeable !== undefined;
      const told = looks ? await mustBeChangeable(address, expectedVersion, signal) : undefined;
      const version = expectedVersion === null ? null : told?.ownVersion ?? null;
      const answer = await ask(name, operation, { ...addressParts(address), password: next.reveal(), mark: markOf(operation, requireChange), version, ...(current !== null && { currentPassword: current.reveal() }) }, signal);
      return { changedAt: timeAt(answer, operation.result?.changedAt) };
    }

    return {
      abilities: {
        verifyPassword: operations.verify !== undefined, changePassword: operations.change !== undefined, setPassword: operations.set !== undefined,
        listDomains: operations.listDomains !== undefined, listMailboxes: operations.listMailboxes !== undefined, requireChange: operations.requireChange !== undefined, maxPasswordBytes,
      },
      async find(address, { signal }) {
        const operation = described('find');
        if (signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
        const found = isAddress(address) ? await lookUp(operation, address, signal) : null;
        return found === null ? null : toAccount(found);
      },
      async verifyPassword(address, password, { signal }) {
        const operation = described('verify');
        if (signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
        if (!isAddress(address) || !isSendable(password.reveal())) return false;
        try {
          await ask('verify', operation, { ...addressParts(address), password: password.reveal() }, signal);
          return true;
        } catch (error) {
          if (error instanceof ModuleError && WRONG.has(error.code)) return false;
          throw error;
        }
      },
      changePassword: (address, current, next, call) => write('change', address, current, next, call),
      setPassword: (address, next, call) => write('set', address, null, next, call),
      async requireChange(address, required, { signal }) {
        const operation = described('requireChange');
        if (signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
        if (!isAddress(address)) throw new ModuleError('ACCOUNT_NOT_FOUND');
        await mustBeChangeable(address, null, signal);
        await ask('requireChange', operation, { ...addressParts(address), mark: markOf(operation, required) }, signal);
      },
      async passwordVersion(address, { signal }) {
        const { find } = operations;
        if (find?.result?.version === undefined || !isAddress(address)) return null;
        return (await lookUp(find, address, signal))?.version ?? null;
      },
      listDomains: async (search, { signal }) => lists.domains(described('listDomains'), search, signal),
      listMailboxes: async (query, { signal }) => lists.mailboxes(described('listMailboxes'), query, signal),
      check: ({ signal }) => answers(signal),
      tls: urlEndpoints(given.baseUrl),
      diagnose: ({ signal }) => diagnoseUrl(given.baseUrl, signal, { caFile: given.caFile }, () => answers(signal), 'check baseUrl, and that the API takes the key'),
      async close() { caller.close(); },
    };
  },
});
