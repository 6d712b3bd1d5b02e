import type { Kysely } from 'kysely';

export interface RateLimitTables {
  rate_limit: {
    /** SHA-256 of the key: addresses and names stand here in no readable form. */
    id: string;
    points: number;
    /** The end of the window, milliseconds since the epoch. */
    expires_at: number;
  };
}

export async function rateLimitTable(database: Kysely<unknown>): Promise<void> {
  await database.schema.createTable('rate_limit').ifNotExists()
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('points', 'integer', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('rate_limit_expires').ifNotExists().on('rate_limit').columns(['expires_at']).execute();
}
