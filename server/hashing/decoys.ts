import { createHmac, randomBytes } from 'node:crypto';

/** Mailboxes share a place by chance; as many places as this tell apart a scheme of two in a hundred mailboxes. */
const PLACES = 64;
const BCRYPT = /\$2[abxy]\$\d\d\$.{22}/;

/** Scheme, cost and salt stay, the digest goes: it costs what the mailbox's own costs, fits no password, and tells nobody's. */
export function withoutDigest(stored: string): string {
  const bcrypt = BCRYPT.exec(stored);
  const kept = bcrypt === null ? Math.max(stored.lastIndexOf('$'), stored.indexOf('}')) + 1 : bcrypt.index + bcrypt[0].length;
  return stored.slice(0, kept) + 'A'.repeat(stored.length - kept);
}

/**
 * What is verified where there is no mailbox, or one without a password, so that the answer takes the same time (I7): a hash as those of the
 * mailboxes here are. An installation that came from another system has older schemes and other costs than the one that is written. Which
 * one a name gets is the same each time, and as often this or that as among the mailboxes that were looked at. `first`: until one was.
 */
export function createDecoys(first: string) {
  const key = randomBytes(32);
  const places: string[] = [];
  const placeOf = (address: string): number => createHmac('sha256', key).update(address.toLowerCase()).digest().readUInt32BE() % PLACES;
  return {
    /** A mailbox's stored password, about to be verified. */
    seen(address: string, stored: string): void { places[placeOf(address)] = withoutDigest(stored); },
    of(address: string): string {
      const place = placeOf(address);
      for (let step = 0; step < PLACES; step += 1) {
        const found = places[(place + step) % PLACES];
        if (found !== undefined) return found;
      }
      return first;
    },
  };
}
