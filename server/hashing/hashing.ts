import { availableParallelism } from 'node:os';
import { Lane } from '../lane.ts';

/** Told how long a hash took by itself, milliseconds: without the time that it waited for its turn in this process. */
export type Took = (milliseconds: number) => void;

/** Threads of Node's pool (`UV_THREADPOOL_SIZE`, by default 4), which also brings what was written to the disk: one is left for that. */
const threads = Math.max(1, Math.trunc(Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)) || 4);

/** More at once than there are processors would make each of them slower and none of them sooner. */
const lane = new Lane(Math.max(1, Math.min(availableParallelism(), threads - 1)));

export const hashing = <T>(work: () => Promise<T>, took: Took | undefined): Promise<T> => lane.run(async () => {
  const began = performance.now();
  const result = await work();
  took?.(performance.now() - began);
  return result;
});
