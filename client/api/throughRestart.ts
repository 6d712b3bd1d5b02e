import { ApiError } from './apiError.ts';

/** Before each further try, in milliseconds: a restart takes about two seconds, more where a change was under way. */
const WAITS_MS = [2000, 5000, 5000, 5000];

const wait = (ms: number, signal: AbortSignal | undefined): Promise<void> => new Promise((resolve, reject) => {
  const leave = (): void => { clearTimeout(timer); reject(new ApiError('UNCONFIRMED')); };
  const timer = setTimeout(() => { signal?.removeEventListener('abort', leave); resolve(); }, ms);
  if (signal?.aborted === true) leave();
  else signal?.addEventListener('abort', leave, { once: true });
});

/**
 * Sends again what was refused because the service restarts. `SHUTTING_DOWN` is said before anything of a request is read (by the service,
 * or by the web server in front that could not reach it), so nothing is ever done twice; no other refusal is sent again.
 */
export async function throughRestart<T>(send: () => Promise<T>, signal?: AbortSignal, waits: readonly number[] = WAITS_MS): Promise<T> {
  const [ms, ...more] = waits;
  try {
    return await send();
  } catch (error) {
    if (ms === undefined || !(error instanceof ApiError) || error.code !== 'SHUTTING_DOWN') throw error;
    await wait(ms, signal);
    return throughRestart(send, signal, more);
  }
}
