const ADDRESS = /^[^\s@\p{Cc}\p{Cs}\p{Cf}]+@[\p{L}\p{M}\p{N}-]+(\.[\p{L}\p{M}\p{N}-]+)*$/u;
const DOMAIN = /^[\p{L}\p{M}\p{N}-]+(\.[\p{L}\p{M}\p{N}-]+)*$/u;

/** Whether it can be a mailbox at all; what cannot is nobody's and is not asked for (`all` would be every mailbox for some APIs). RFC 5321 allows 320 octets. */
export const isAddress = (address: string): boolean => Buffer.byteLength(address) <= 320 && ADDRESS.test(address);

export const isDomain = (domain: string): boolean => Buffer.byteLength(domain) <= 255 && DOMAIN.test(domain);

export const addressParts = (address: string) => ({ address, local: address.slice(0, address.lastIndexOf('@')), domain: address.slice(address.lastIndexOf('@') + 1) });

/** One form of what people take for one address, or one name. */
export const foldedAddress = (text: string): string => text.normalize('NFC').toLowerCase();

/** Half a surrogate pair is no character: it cannot be sent as UTF-8. */
export const isSendable = (text: string): boolean => !/\p{Cs}/u.test(text);
