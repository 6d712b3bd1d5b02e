import { hash, verify } from '@node-rs/argon2';
import { object } from 'yup';
import { ModuleError } from '../../../module/errors.ts';
import { isProven, versionOf } from '../../hashing/storedHash.ts';
import type { Account, AccountApi, CallOptions } from '../../ports/accountApi.ts';
import { warn } from '../../ports/diagnosis.ts';
import type { Secret } from '../../secret.ts';
import { firstMomentAfter } from '../../ports/clock.ts';
import { defineAccountDriver } from '../defineDriver.ts';
import { ARGON2ID, embeddedDatabase, holdEmbedded } from '../embeddedDatabase.ts';

interface Row { address: string; display_name: string; hash: string; enabled: number; password_changed_at: number; change_required: number }

const toAccount = (row: Row): Account => ({
  address: row.address, enabled: row.enabled === 1, passwordChangedAt: row.password_changed_at, displayName: row.display_name, changeRequired: row.change_required === 1,
});

const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);

/** Mailboxes in SQLite with Argon2id, for the embedded host. */
export default defineAccountDriver({
  name: 'embedded',
  summary: 'Mailboxes in an SQLite file of the module; for trying things out.',
  options: object({}).noUnknown(),
  async create(_options, { dataDir, clock }): Promise<AccountApi> {
    const database = await embeddedDatabase(dataDir);
    // Verified where there is no such mailbox, so that the answer takes the same time (I7).
    const nobody = await hash('nobody', ARGON2ID);
    const row = async (address: string, { signal }: CallOptions): Promise<Row | undefined> => {
      if (signal.aborted) throw new ModuleError('ACCOUNTS_UNAVAILABLE');
      return database.selectFrom('mailbox').selectAll().where('address', '=', address.toLowerCase()).executeTakeFirst();
    };

    async function replace(address: string, oldHash: string, next: Secret, requireChange = false) {
      const newHash = await hash(next.reveal(), ARGON2ID);
      const result = await database.updateTable('mailbox').set({ hash: newHash, password_changed_at: clock.now(), change_required: requireChange ? 1 : 0 })
        .where('address', '=', address).where('hash', '=', oldHash).executeTakeFirst();
      if (Number(result.numUpdatedRows) !== 1) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
      return { changedAt: firstMomentAfter(clock) };
    }

    return {
      abilities: { verifyPassword: true, changePassword: true, setPassword: true, listDomains: true, listMailboxes: true, requireChange: true, provesByVersion: true, maxPasswordBytes: null },
      async find(address, call) {
        const found = await row(address, call);
        return found === undefined ? null : toAccount(found);
      },
      async verifyPassword(address, password, call) {
        const found = await row(address, call);
        const right = await verify(found?.hash ?? nobody, password.reveal());
        return right && found?.enabled === 1;
      },
      async changePassword(address, current, next, call) {
        const found = await row(address, call);
        const right = isProven(found?.hash ?? null, call) || await verify(found?.hash ?? nobody, current.reveal());
        if (!right || found?.enabled !== 1) throw new ModuleError('CURRENT_PASSWORD_WRONG');
        return replace(found.address, found.hash, next);
      },
      async setPassword(address, next, { expectedVersion = null, requireChange, ...call }) {
        const found = await row(address, call);
        if (found === undefined) throw new ModuleError('ACCOUNT_NOT_FOUND');
        if (expectedVersion !== null && versionOf(found.hash) !== expectedVersion) throw new ModuleError('ACCOUNT_CHANGED_MEANWHILE');
        return replace(found.address, found.hash, next, requireChange);
      },
      async requireChange(address, required) {
        const result = await database.updateTable('mailbox').set({ change_required: required ? 1 : 0 }).where('address', '=', address.toLowerCase()).executeTakeFirst();
        if (Number(result.numUpdatedRows) !== 1) throw new ModuleError('ACCOUNT_NOT_FOUND');
      },
      async passwordVersion(address, call) {
        const found = await row(address, call);
        return found === undefined ? null : versionOf(found.hash);
      },
      async listDomains(search) {
        const rows = await database.selectFrom('mailbox').select('address').execute();
        const domains = new Set(rows.map(({ address }) => address.slice(address.lastIndexOf('@') + 1)));
        return [...domains].filter((domain) => domain.includes(search.toLowerCase())).sort();
      },
      async listMailboxes({ domain, search, cursor, limit }) {
        const rows = await database.selectFrom('mailbox').selectAll()
          .where('address', 'like', `%${search.toLowerCase()}%@${domain.toLowerCase()}`)
          .where('address', '>', cursor ?? '').orderBy('address').limit(limit + 1).execute();
        const wanted = escapeLike(search) === search ? rows : rows.filter(({ address }) => address.includes(search.toLowerCase()));
        const page = wanted.slice(0, limit);
        return { mailboxes: page.map(toAccount), nextCursor: rows.length > limit ? (page.at(-1)?.address ?? null) : null };
      },
      async check() {
        await database.selectFrom('mailbox').select('address').limit(1).execute();
      },
      async diagnose() {
        const { count } = await database.selectFrom('mailbox').select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
        return [warn('host', `${String(count)} demo mailboxes in ${dataDir}; no mail server knows them`, 'for real mailboxes name another driver under accounts')];
      },
      close: holdEmbedded(dataDir),
    };
  },
});
