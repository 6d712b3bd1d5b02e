import { ApiError } from '../../client/api/apiError.ts';
import { throughRestart } from '../../client/api/throughRestart.ts';

const NO_WAIT = [1, 1, 1];

/** Refuses with these codes in turn, then answers. */
function server(...codes: string[]) {
  const send = jest.fn(() => {
    const code = codes.shift();
    return code === undefined ? Promise.resolve('answer') : Promise.reject(new ApiError(code));
  });
  return send;
}

test('what a restart refuses is sent again until it is answered', async () => {
  const send = server('SHUTTING_DOWN', 'SHUTTING_DOWN');
  expect(await throughRestart(send, undefined, NO_WAIT)).toBe('answer');
  expect(send).toHaveBeenCalledTimes(3);
});

test('a service that stays away is told in the end', async () => {
  const send = server('SHUTTING_DOWN', 'SHUTTING_DOWN', 'SHUTTING_DOWN', 'SHUTTING_DOWN', 'SHUTTING_DOWN');
  await expect(throughRestart(send, undefined, NO_WAIT)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  expect(send).toHaveBeenCalledTimes(4);
});

test.each(['UNCONFIRMED', 'OVERLOADED', 'READ_ONLY', 'ACCOUNTS_OUTCOME_UNKNOWN', 'INTERNAL', 'RATE_LIMITED'])('%s is never sent again: it may have been done, or nothing would be better', async (code) => {
  const send = server(code);
  await expect(throughRestart(send, undefined, NO_WAIT)).rejects.toMatchObject({ code });
  expect(send).toHaveBeenCalledTimes(1);
});

test('who leaves the page ends the waiting', async () => {
  const leaving = new AbortController();
  const send = server('SHUTTING_DOWN');
  const sent = throughRestart(send, leaving.signal, [60_000]);
  await Promise.resolve();
  leaving.abort();
  await expect(sent).rejects.toMatchObject({ code: 'UNCONFIRMED' });
  expect(send).toHaveBeenCalledTimes(1);
});

test('who has left before the refusal came does not wait either', async () => {
  const send = server('SHUTTING_DOWN');
  await expect(throughRestart(send, AbortSignal.abort(), [60_000])).rejects.toMatchObject({ code: 'UNCONFIRMED' });
  expect(send).toHaveBeenCalledTimes(1);
});
