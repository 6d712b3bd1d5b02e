import { Redis } from 'ioredis';
import { freePort, remove, run, type Service, serviceFolder, started } from './process.ts';

export interface RedisService extends Service {
  readonly url: string;
  /** Of the server's process. */
  readonly pid: number;
}

/** Debian's redis-server, nothing on disk, password `x`. */
export async function startRedis(more: readonly string[] = []): Promise<RedisService> {
  const folder = serviceFolder('redis');
  const port = await freePort();
  const running = run('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', '--requirepass', 'x', ...more]);
  const url = `redis://:x@127.0.0.1:${String(port)}`;
  await started(running, async () => {
    const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return (await redis.ping()) === 'PONG';
    } finally {
      redis.disconnect();
    }
  });
  return { port, folder, url, pid: running.process.pid ?? 0, async stop() { await running.kill(); remove(folder); } };
}
