import * as common from '@zxcvbn-ts/language-common';

/**
 * The passwords that everybody tries first: the list of zxcvbn's common language pack. Heavy (over 200 kB), so it is only ever
 * imported when it is needed. Compared without regard to case.
 */
const dictionary = common.dictionary as unknown as Readonly<Record<string, readonly (string | number)[]>>;

const PASSWORDS: ReadonlySet<string> = new Set(
  Object.entries(dictionary)
    .filter(([name]) => name.startsWith('passwords'))
    .flatMap(([, words]) => words.map((word) => String(word).toLowerCase())),
);

export const isCommon = (password: string): boolean => PASSWORDS.has(password.normalize('NFC').toLowerCase());
