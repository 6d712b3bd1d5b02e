import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const newToken = (bytes = 32): string => randomBytes(bytes).toString('base64url');

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Compares without telling by time how much was right. */
export function sameText(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(digest(left)), Buffer.from(digest(right)));
}

const seal = (key: string, purpose: string, payload: string): string => createHmac('sha256', key).update(`${purpose}\0${payload}`).digest('base64url');

/** A paging cursor that counts only for the session and the list (`purpose`) that it was made for. */
export function sealCursor(key: string, purpose: string, cursor: string): string {
  const payload = Buffer.from(cursor).toString('base64url');
  return `${payload}.${seal(key, purpose, payload)}`;
}

/** Null where the cursor was not made here for this list. */
export function openCursor(key: string, purpose: string, sealed: string): string | null {
  const [payload = '', mark = ''] = sealed.split('.');
  return sameText(mark, seal(key, purpose, payload)) ? Buffer.from(payload, 'base64url').toString() : null;
}
