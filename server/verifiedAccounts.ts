import { ModuleError } from '../module/errors.ts';
import { oneAtATime } from './oneAtATime.ts';
import type { AccountApi } from './ports/accountApi.ts';
import type { PasswordVerifier } from './ports/passwordVerifier.ts';

/**
 * An account API whose passwords are verified elsewhere (`accounts[].verify`). A change by the owner is then: verified, and set by the
 * module, unless the account API can only change and so verifies by itself.
 */
export function verifiedAccounts(api: AccountApi, verifier: PasswordVerifier): AccountApi {
  const inTurn = oneAtATime();
  return {
    ...api,
    abilities: { ...api.abilities, verifyPassword: true, changePassword: api.abilities.setPassword || api.abilities.changePassword, provesByVersion: false },
    verifyPassword: (address, password, call) => verifier.verify(address, password, call),
    async changePassword(address, current, next, call) {
      // What was verified was verified elsewhere, perhaps by a cache: the account API's version proves nothing of it.
      if (!api.abilities.setPassword) return api.changePassword(address, current, next, { ...call, verifiedVersion: null });
      // A mail server's cache can still say yes to the password of a moment ago: of several changes at once only the first finds the version that it saw.
      const seen = await api.passwordVersion(address, call);
      return inTurn(address, async () => {
        if (!(await verifier.verify(address, current, call))) throw new ModuleError('CURRENT_PASSWORD_WRONG');
        if ((await api.passwordVersion(address, call)) !== seen) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
        return api.setPassword(address, next, { ...call, expectedVersion: seen }).catch((error: unknown) => {
          // Whoever is not there has no password to be right.
          throw error instanceof ModuleError && error.code === 'ACCOUNT_NOT_FOUND' ? new ModuleError('CURRENT_PASSWORD_WRONG') : error;
        });
      });
    },
    async check(call) { await Promise.all([api.check(call), verifier.check(call)]); },
    async close() { await Promise.all([api.close(), verifier.close()]); },
  };
}
