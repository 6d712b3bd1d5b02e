import { promisify } from 'node:util';
import koffi from 'koffi';
import { ModuleError } from '../../module/errors.ts';

/** CRYPT_MAX_PASSPHRASE_SIZE of libxcrypt is 512 with the closing NUL (crypt.h). */
export const LIBCRYPT_MAX_BYTES = 511;

/** CRYPT_DATA_SIZE, rounded up: `struct crypt_data` is 32 KiB in every version of libxcrypt. */
const DATA_BYTES = 32_768;

type CryptRn = (phrase: string, setting: string, data: Buffer, size: number) => Promise<string | null>;

let loaded: CryptRn | undefined;

/** The system's own crypt(3): libxcrypt is `libcrypt.so.1` on Debian and Ubuntu, `libcrypt.so.2` on Fedora and its kin. */
function load(): CryptRn {
  for (const name of ['libcrypt.so.1', 'libcrypt.so.2']) {
    try {
      const crypt = koffi.load(name).func('char *crypt_rn(const char *phrase, const char *setting, void *data, int size)');
      return promisify(crypt.async) as CryptRn;
    } catch {
      // The next name.
    }
  }
  throw new ModuleError('ACCOUNTS_MISCONFIGURED', { detail: 'no libcrypt.so on this system: schemes of crypt(3) cannot be used' });
}

/**
 * crypt(3) in the thread pool: reentrant, never on the event loop, never in a child process. Null where the library refuses the
 * setting. A NUL would end the phrase for C, so it is refused here.
 */
export async function crypt(phrase: string, setting: string): Promise<string | null> {
  if (phrase.includes('\0') || setting.includes('\0') || Buffer.byteLength(phrase) > LIBCRYPT_MAX_BYTES) return null;
  loaded ??= load();
  const data = Buffer.alloc(DATA_BYTES);
  try {
    const result = await loaded(phrase, setting, data, DATA_BYTES);
    return result === null || result.startsWith('*') ? null : result;
  } finally {
    data.fill(0);
  }
}
