import { readFileSync } from 'node:fs';
import { ValidationError } from 'yup';

/**
 * A PEM file that the configuration names. `key` is the option's path in its entry (`tls.ca`): a file that cannot be read is a problem of
 * the configuration there, a yup ValidationError, and no start (I9).
 */
export function readCertificateFile(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ValidationError([new ValidationError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`, file, key)]);
  }
}
