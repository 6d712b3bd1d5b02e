import { boolean, object } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { urlEndpoints } from '../../diagnosis/tlsEndpoints.ts';
import { readError, refuseTooLong, writeError } from '../../groupOffice/accountErrors.ts';
import { diagnoseAccounts, diagnoseChangingUsers } from '../../groupOffice/diagnoseAccounts.ts';
import type { InfoAnswer } from '../../groupOffice/dropInAnswers.ts';
import { type Credentials, GroupOfficeClient } from '../../groupOffice/groupOfficeClient.ts';
import { host, mayBeName, serviceKey, url } from '../../groupOffice/groupOfficeOptions.ts';
import { oneAtATime } from '../../oneAtATime.ts';
import { FORCED, userWrites } from '../../groupOffice/userWrites.ts';
import { endHalf, forgetLogins, verifyByLogin } from '../../groupOffice/verifyByLogin.ts';
import type { AccountApi, CallOptions } from '../../ports/accountApi.ts';
import type { Secret } from '../../secret.ts';
import { defineAccountDriver } from '../defineDriver.ts';

/** Group-Office hashes with bcrypt, which looks at no more (measured: at 128 any password with the same first 72 bytes logs in). */
const MAX_BYTES = 72;

type User = NonNullable<InfoAnswer['user']>;

/**
 * Group-Office's local users. Never for users of IMAP or LDAP: there `User/set` reports success even for a wrong current
 * password, and leaves the mailbox as it was.
 */
export default defineAccountDriver({
  name: 'groupOfficeUser',
  summary: 'Local users of Group-Office (not those who log in through IMAP or LDAP).',
  options: object({
    url,
    host,
    serviceKey,
    setPassword: boolean()
      .meta({ description: "Whether administrators may set passwords and ask for new ones; the service key's user then needs the right to change users", example: false }),
  }).noUnknown(),
  async create(options): Promise<AccountApi> {
    const client = new GroupOfficeClient(options);
    const service: Credentials = { kind: 'bearer', token: options.serviceKey };
    const queue = oneAtATime();
    const writes = userWrites(client, service);
    const maySet = options.setPassword ?? false;

    async function lookUp(address: string, call: CallOptions): Promise<User | null> {
      if (!mayBeName(address)) return null;
      try {
        return (await client.dropIn<InfoAnswer>(service, 'info', { address }, call)).user;
      } catch (error) {
        throw readError(error);
      }
    }

    const isLocal = (user: User): boolean => user.authenticators.includes('password');

    async function verify(address: string, user: User | null, password: Secret, call: CallOptions) {
      // The same work for nobody: Group-Office itself hashes for an unknown name.
      const username = user !== null && isLocal(user) ? user.username : `nobody.${address.length}`;
      try {
        return await verifyByLogin(client, service, { address, username }, password, call);
      } catch (error) {
        throw readError(error);
      }
    }

    /**
     * The right password alone opens no session here, so the user cannot be the one who sets. The service does, after the password was
     * verified, and only where nothing changed since before that.
     */
    async function changeWithSecondFactor(address: string, user: User, current: Secret, next: Secret, call: CallOptions): Promise<void> {
      if (!maySet || user.isAdmin) throw new ModuleError('ACCOUNT_NOT_CHANGEABLE', { detail: 'the user has a second factor: setPassword must be on, or the password be changed in Group-Office itself' });
      const state = await writes.stateOf(service, user.id, call);
      if (!(await verify(address, user, current, call)).right) throw new ModuleError('CURRENT_PASSWORD_WRONG');
      await writes.setPassword(user.id, next.reveal(), { requireChange: false, state }, call);
      await forgetLogins(client, service, address, call).catch(() => undefined);
    }

    /** Where the service may not set: as the owner, at the log-in itself, which asks for a new password and for nothing else. */
    async function chooseAtLogin(address: string, loginToken: string, current: Secret, next: Secret, call: CallOptions): Promise<void> {
      let opened: string | undefined;
      try {
        const answer = await client.chooseAtLogin(loginToken, current.reveal(), next.reveal(), call).catch((error: unknown) => { throw writeError(error); });
        if ('refused' in answer) throw new ModuleError(answer.refused.includes('currentPassword') ? 'CURRENT_PASSWORD_WRONG' : 'PASSWORD_REJECTED_BY_SERVER');
        opened = answer.accessToken;
      } finally {
        await (opened === undefined ? endHalf(client, service, address, loginToken, call) : client.drop(opened, call)).catch(() => undefined);
        await forgetLogins(client, service, address, call).catch(() => undefined);
      }
    }

    async function change(address: string, user: User, current: Secret, next: Secret, call: CallOptions): Promise<void> {
      let accessToken: string;
      try {
        await forgetLogins(client, service, address, call);
        const login = await client.login(user.username, current.reveal(), call);
        if (login.loginToken !== undefined) {
          const onlyForced = login.pending?.length === 1 && login.pending[0] === FORCED;
          if (onlyForced && (!maySet || user.isAdmin)) {
            await forgetLogins(client, service, address, call);
            return await chooseAtLogin(address, login.loginToken, current, next, call);
          }
          await endHalf(client, service, address, login.loginToken, call);
          await forgetLogins(client, service, address, call);
          return await changeWithSecondFactor(address, user, current, next, call);
        }
        if (login.accessToken === undefined) throw new ModuleError('CURRENT_PASSWORD_WRONG');
        accessToken = login.accessToken;
      } catch (error) {
        throw readError(error);
      }
      const own: Credentials = { kind: 'bearer', token: accessToken };
      try {
        const { state } = await writes.stateOf(own, user.id, call);
        // That log-in filled the 60-second cache: Group-Office must look at the stored hash, not at it.
        await forgetLogins(client, service, address, call).catch((error: unknown) => { throw readError(error); });
        await writes.set(own, user.id, { currentPassword: current.reveal(), password: next.reveal() }, state, call);
      } finally {
        await forgetLogins(client, service, address, call).catch(() => undefined);
        await client.drop(accessToken, call).catch(() => undefined);
      }
    }

    /** The state is one for all users: another's change is no conflict, and after three of them it is the caller's turn. */
    async function untilUndisturbed(run: () => Promise<void>): Promise<void> {
      for (let left = 3; ; left--) {
        try {
          return await run();
        } catch (error) {
          if (left === 0 || !(error instanceof ModuleError) || error.code !== 'ACCOUNT_CHANGED_MEANWHILE') throw error;
        }
      }
    }

    return {
      tls: urlEndpoints(options.url),
      abilities: {
        verifyPassword: true, changePassword: true, setPassword: maySet, listDomains: false, listMailboxes: false, requireChange: maySet, maxPasswordBytes: MAX_BYTES,
      },
      async find(address, call) {
        const user = await lookUp(address, call);
        if (user === null || !isLocal(user)) return null;
        const { enabled, displayName, recoveryEmail, language } = user;
        const marked = user.authenticators.includes(FORCED);
        return {
          // Somebody else's mark counts too; only where none can be made here, none is not told.
          ...((maySet || marked) && { changeRequired: marked }),
          address, enabled, passwordChangedAt: null, displayName,
          ...(typeof recoveryEmail === 'string' && recoveryEmail !== '' && { recoveryAddress: recoveryEmail }), ...(typeof language === 'string' && language !== '' && { language }),
        };
      },
      async verifyPassword(address, password, call) {
        return (await verify(address, await lookUp(address, call), password, call)).right;
      },
      async changePassword(address, current, next, call) {
        refuseTooLong(Buffer.byteLength(next.reveal()), MAX_BYTES);
        if (current.reveal() === '') throw new ModuleError('CURRENT_PASSWORD_WRONG');
        return queue(address.toLowerCase(), async () => {
          const user = await lookUp(address, call);
          if (user === null || !isLocal(user)) {
            // An outsider learns nothing; a user of another directory has come to the wrong driver.
            if (user !== null) throw new ModuleError('ACCOUNT_NOT_CHANGEABLE', { detail: 'not a local user of Group-Office' });
            await verify(address, null, current, call);
            throw new ModuleError('CURRENT_PASSWORD_WRONG');
          }
          await untilUndisturbed(() => change(address, user, current, next, call));
          return { changedAt: null };
        });
      },
      async setPassword(address, next, call) {
        if (!maySet) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        refuseTooLong(Buffer.byteLength(next.reveal()), MAX_BYTES);
        return queue(address.toLowerCase(), async () => {
          const user = await lookUp(address, call);
          if (user === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
          if (!isLocal(user) || user.isAdmin) throw new ModuleError('ACCOUNT_NOT_CHANGEABLE');
          await untilUndisturbed(async () => writes.setPassword(user.id, next.reveal(), { requireChange: call.requireChange === true, state: await writes.stateOf(service, user.id, call) }, call));
          await forgetLogins(client, service, address, call).catch(() => undefined);
          return { changedAt: null };
        });
      },
      async requireChange(address, required, call) {
        if (!maySet) throw new ModuleError('OPERATION_NOT_SUPPORTED');
        await queue(address.toLowerCase(), async () => {
          const user = await lookUp(address, call);
          if (user === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
          if (!isLocal(user) || user.isAdmin) throw new ModuleError('ACCOUNT_NOT_CHANGEABLE');
          await untilUndisturbed(() => writes.mark(user.id, required, call));
        });
      },
      passwordVersion: () => Promise.resolve(null),
      listDomains: () => Promise.reject(new ModuleError('OPERATION_NOT_SUPPORTED')),
      listMailboxes: () => Promise.reject(new ModuleError('OPERATION_NOT_SUPPORTED')),
      async check(call) {
        try {
          const info = await client.dropIn<InfoAnswer>(service, 'info', {}, call);
          if (!info.mayManage) throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: "the service key's user lacks the module's manage right" });
        } catch (error) {
          throw readError(error);
        }
      },
      diagnose: (call) => diagnoseAccounts({ url: options.url, client, service }, call, () => diagnoseChangingUsers(client, service, maySet, call)),
      close() {
        client.close();
        return Promise.resolve();
      },
    };
  },
});
