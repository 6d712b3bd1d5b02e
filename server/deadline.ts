/**
 * The work's outcome, or at the deadline the error that `late` makes: also where the work does not listen to the signal. What becomes of the
 * work after that nobody is told; it has to look at the signal itself before it does what cannot be taken back.
 */
export async function beforeDeadline<T>(signal: AbortSignal, late: () => Error, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) throw late();
  let onAbort = (): void => undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    onAbort = () => { reject(late()); };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  const done = work();
  done.catch(() => undefined);
  try {
    return await Promise.race([done, deadline]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
