import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * In front of a real Dovecot's doveadm: breaks off where it is told to flush the auth cache, as Dovecot 2.4.1 does (a failed assertion,
 * whatever the parameters); hands on everything else. Debian 12, on which the tests run, has no such Dovecot.
 */
export async function flushlessDoveadm(url: string) {
  let flushes = 0;
  let broken = true;
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => { chunks.push(chunk); }).on('end', () => {
      const body = Buffer.concat(chunks);
      if (broken && body.includes('authCacheFlush')) {
        flushes += 1;
        incoming.socket.resetAndDestroy();
        return;
      }
      const behind = ask(new URL(incoming.url ?? '/', url), { method: incoming.method, headers: { ...incoming.headers, 'content-length': String(body.length) } }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, { ...(answer.headers.date !== undefined && { date: answer.headers.date }) });
        answer.pipe(outgoing);
      });
      behind.on('error', () => { incoming.socket.destroy(); });
      behind.end(body);
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    /** How often it broke off. */
    flushes: () => flushes,
    /** Another version of Dovecot. */
    mend() { broken = false; },
    async stop() { server.closeAllConnections(); await new Promise<void>((resolve) => { server.close(() => { resolve(); }); }); },
  };
}
