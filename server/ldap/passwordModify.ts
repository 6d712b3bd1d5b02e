import { BerWriter } from 'ldapts';
import type { Secret } from '../secret.ts';

/** RFC 3062, LDAP Password Modify Extended Operation. */
export const PASSWORD_MODIFY = '1.3.6.1.4.1.4203.1.11.1';

const USER_IDENTITY = 0x80;
const OLD_PASSWORD = 0x81;
const NEW_PASSWORD = 0x82;

export interface PasswordModifyRequest {
  /** Whose; null = of whoever the connection is bound as. */
  readonly dn: string | null;
  readonly current: Secret | null;
  /** Never empty: without one the server would invent a password. */
  readonly next: Secret;
}

/** The request's value. It cannot be written into a debugging log (`NODE_DEBUG=ldapts`) by accident. */
export function passwordModifyValue({ dn, current, next }: PasswordModifyRequest): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  if (dn !== null) writer.writeString(dn, USER_IDENTITY);
  if (current !== null) writer.writeString(current.reveal(), OLD_PASSWORD);
  writer.writeString(next.reveal(), NEW_PASSWORD);
  writer.endSequence();
  return Object.defineProperty(Buffer.from(writer.buffer), 'toJSON', { value: () => '[secret]' });
}
