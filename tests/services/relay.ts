import { SMTPServer } from 'smtp-server';
import { freePort } from './process.ts';

/** An SMTP server to which Dovecot's submission hands on; it takes everything. */
export async function relay(): Promise<{ port: number; server: SMTPServer }> {
  const port = await freePort();
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'], authOptional: true, logger: false, closeTimeout: 100,
    onData(stream, _session, callback) { stream.resume(); stream.on('end', () => { callback(); }); },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', () => { resolve(); }); });
  return { port, server };
}
