import { expect, it } from '@jest/globals';
import { idOf, runAsUser } from '../../fixtures/runAsUser.ts';

/** Debian's PostgreSQL has a user who is in a second group (ssl-cert). */
const POSTGRES = [Number(idOf('-u', 'postgres')), Number(idOf('-g', 'postgres'))] as const;
/** No machine has a name for it. */
const NAMELESS = [61_234, 61_235] as const;
const four = (id: number): string[] => [Array.from({ length: 4 }, () => String(id)).join('\t')];
const NO_RIGHTS = { capabilities: ['0000000000000000'], rootAgain: [false, false, false] };
const sorted = (groups: readonly string[]): number[] => groups.flatMap((line) => line.split(/\s+/)).map(Number).sort((one, other) => one - other);

// With io_uring Node refuses its own calls (CVE-2024-22017), and libc is asked.
it.each([['by Node', {}], ['by libc', { UV_USE_IO_URING: '1' }]])('%s root becomes a user with all groups of that user and none of root, in every thread and for good', (_how, env) => {
  const postgres = runAsUser([POSTGRES], { env });
  expect(postgres).toMatchObject({ errors: [null], uids: four(POSTGRES[0]), gids: four(POSTGRES[1]), ...NO_RIGHTS });
  expect(sorted(postgres.groups)).toEqual(idOf('-G', 'postgres').split(' ').map(Number).sort((one, other) => one - other));
  expect(postgres.groups[0]?.split(/\s+/).length).toBeGreaterThan(1);
  expect(runAsUser([NAMELESS], { env })).toMatchObject({ errors: [null], uids: four(NAMELESS[0]), gids: four(NAMELESS[1]), groups: [String(NAMELESS[1])], ...NO_RIGHTS });
});

it.each([['by Node', {}], ['by libc', { UV_USE_IO_URING: '1' }]])('%s who is not root becomes nobody else: it throws, so that nothing goes on as the wrong user', (_how, env) => {
  const { errors, uids } = runAsUser([NAMELESS, POSTGRES], { env });
  expect([errors[0], typeof errors[1], uids]).toEqual([null, 'string', four(NAMELESS[0])]);
});
