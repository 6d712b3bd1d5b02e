/**
 * The form in which every password is judged, hashed and compared: Unicode NFC (RFC 8265, section 4.2.2), so that the same
 * keys give the same password on every keyboard. Nothing else is changed: never trimmed, never case-folded.
 */
export const normalizePassword = (password: string): string => password.normalize('NFC');

/** Length as people count: code points after NFC, not bytes and not UTF-16 units. */
export const codePointLength = (password: string): number => [...normalizePassword(password)].length;
