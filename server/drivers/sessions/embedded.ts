import { object } from 'yup';
import type { SessionStore } from '../../ports/sessionStore.ts';
import { defineSessionDriver } from '../defineDriver.ts';
import { embeddedDatabase, holdEmbedded } from '../embeddedDatabase.ts';

/** Web sessions of the embedded host. */
export default defineSessionDriver({
  name: 'embedded',
  summary: 'Web sessions of the embedded host, in SQLite.',
  options: object({}).noUnknown(),
  async create(_options, { name, dataDir }): Promise<SessionStore> {
    const database = await embeddedDatabase(dataDir);
    return {
      name,
      channels: ['web'],
      async list(address) {
        const rows = await database.selectFrom('session').selectAll().where('address', '=', address.toLowerCase()).orderBy('last_seen_at', 'desc').execute();
        return rows.map((row) => ({
          id: row.id, channel: 'web' as const, client: row.client, remoteAddress: row.remote_address, issuedAt: row.issued_at, lastSeenAt: row.last_seen_at,
        }));
      },
      async revoke(address, id) {
        const result = await database.deleteFrom('session').where('address', '=', address.toLowerCase()).where('id', '=', id).executeTakeFirst();
        return Number(result.numDeletedRows) > 0;
      },
      async revokeAll({ address, issuedBefore }) {
        const mailbox = address.toLowerCase();
        // The mark keeps out a log-in that checked the old password before the change and is written after this.
        const result = await database.transaction().execute(async (transaction) => {
          await transaction.updateTable('mailbox').set({ sessions_valid_from: issuedBefore })
            .where('address', '=', mailbox).where('sessions_valid_from', '<', issuedBefore).execute();
          return transaction.deleteFrom('session').where('address', '=', mailbox).where('issued_at', '<', issuedBefore).executeTakeFirst();
        });
        return { revoked: { web: Number(result.numDeletedRows) } };
      },
      async check() {
        await database.selectFrom('session').select('id').limit(1).execute();
      },
      close: holdEmbedded(dataDir),
    };
  },
});
