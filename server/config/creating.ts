import { ValidationError } from 'yup';
import { ConfigError } from './configProblem.ts';

/** A driver that looks closer at its own options when it starts (a file that is not there) says so by a ValidationError: no start (I9). */
export async function creating<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!ValidationError.isError(error)) throw error;
    throw new ConfigError(error.inner.map((inner) => `${path}.${inner.path ?? ''}: ${inner.message}`));
  }
}
