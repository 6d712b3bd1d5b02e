import accountsEmbedded from './accounts/embedded.ts';
import hostsEmbedded from './hosts/embedded/index.ts';
import sessionsEmbedded from './sessions/embedded.ts';

/** Which drivers there are, by kind and name. */
export const DRIVERS = {
  accounts: { embedded: accountsEmbedded },
  hosts: { embedded: hostsEmbedded },
  sessions: { embedded: sessionsEmbedded },
} as const;
