import { setTimeout as wait } from 'node:timers/promises';
import { ModuleError } from '../../module/errors.ts';
import type { CallOptions } from '../ports/accountApi.ts';
import { readError, readSet, type SetAnswer, writeError } from './accountErrors.ts';
import { type Credentials, type GroupOfficeClient, GroupOfficeError } from './groupOfficeClient.ts';

/** The authenticator that Group-Office asks for at a log-in of somebody who is to choose a new password. */
export const FORCED = 'forcepasswordchange';

/** Waits before each try to put a mark back: PHP's processes are made anew at once, a restart of the web server takes a moment. */
const PUT_BACK_AFTER_MS = [0, 250, 1_000, 2_000];
const PUT_BACK_TIMEOUT_MS = 3_000;

export interface UserState {
  /** Of all users: another's change makes it another one. */
  readonly state: string;
  /** `forcePasswordChange`; null where this Group-Office has no such mark. */
  readonly marked: boolean | null;
}

/** Group-Office holds a lock while it sets, and compares the state in it: nothing changed since `state` was read. */
export function userWrites(client: GroupOfficeClient, service: Credentials) {
  async function stateOf(credentials: Credentials, id: string, call: CallOptions): Promise<UserState> {
    try {
      const { state, list = [] } = await client.call<{ state: string; list?: { forcePasswordChange?: unknown }[] }>(credentials, 'User/get', { ids: [id], properties: ['username', 'forcePasswordChange'] }, call);
      const marked = list[0]?.forcePasswordChange;
      return { state, marked: typeof marked === 'boolean' ? marked : null };
    } catch (error) {
      throw readError(error);
    }
  }

  async function set(credentials: Credentials, id: string, values: object, state: string, call: CallOptions): Promise<void> {
    try {
      readSet(await client.call<SetAnswer>(credentials, 'User/set', { ifInState: state, update: { [id]: values } }, call), id);
    } catch (error) {
      throw writeError(error);
    }
  }

  /** As the service. What Group-Office then misses is no fault of who asked: it is the right to change users. */
  async function asService(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      const lacksRight = error instanceof ModuleError && (error.code === 'CURRENT_PASSWORD_WRONG' || error.code === 'ACCOUNT_NOT_CHANGEABLE');
      throw lacksRight ? new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: "the service key's user lacks the right to change users", cause: error }) : error;
    }
  }

  /**
   * A new password takes the mark away; one that comes with it stays only where it was not there before (measured on 26.0.42). So for
   * somebody marked it is taken away first, set together with the password, and put back where that was refused: all in one request.
   */
  async function setMarked(id: string, password: string, { state, marked }: UserState, call: CallOptions): Promise<void> {
    if (marked === null) throw new ModuleError('OPERATION_NOT_SUPPORTED', { detail: 'this Group-Office knows no forcePasswordChange' });
    const both = { password, forcePasswordChange: true };
    if (!marked) return set(service, id, both, state, call);
    try {
      const updates = [{ forcePasswordChange: false }, both, { forcePasswordChange: true }].map((values) => ({ update: { [id]: values } }));
      readSet(await client.callAll<SetAnswer>(service, 'User/set', updates, 1, call), id);
    } catch (error) {
      if (error instanceof GroupOfficeError && error.kind === 'unknown') await putBack(id);
      throw writeError(error);
    }
  }

  /** PHP may have died between the three, with the mark taken away. Whatever became of the password: it is to be asked for. The call's own time may be over. */
  async function putBack(id: string): Promise<void> {
    for (const delay of PUT_BACK_AFTER_MS) {
      await wait(delay);
      try {
        return await mark(id, true, { signal: AbortSignal.timeout(PUT_BACK_TIMEOUT_MS) });
      } catch {
        // The caller says that the outcome is unknown, and an administrator asks again.
      }
    }
  }

  async function mark(id: string, required: boolean, call: CallOptions): Promise<void> {
    const { state, marked } = await stateOf(service, id, call);
    if (marked === null) throw new ModuleError('OPERATION_NOT_SUPPORTED', { detail: 'this Group-Office knows no forcePasswordChange' });
    if (marked !== required) await asService(() => set(service, id, { forcePasswordChange: required }, state, call));
  }

  return {
    stateOf,
    set,
    setPassword: (id: string, password: string, { requireChange, state }: { readonly requireChange: boolean; readonly state: UserState }, call: CallOptions) =>
      asService(() => (requireChange ? setMarked(id, password, state, call) : set(service, id, { password }, state.state, call))),
    mark,
  };
}
