// `npm run try:dovecot`: Dovecot, MariaDB and the module on free ports of this machine, until Ctrl+C. Needs Debian's packages
// (as root: `npm test` brings them) and root, since Dovecot and MariaDB change to users of their own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '../server/cli/serve.ts';
import { loadConfig } from '../server/config/loadConfig.ts';
import { MAILBOXES, startMailPlatform } from './services/mailPlatform.ts';

if (process.getuid?.() !== 0) throw new Error('run it as root: Dovecot and MariaDB change to users of their own');
const platform = await startMailPlatform('mariadb');
const dataDir = mkdtempSync(join(tmpdir(), 'mailbox-password-try-'));
const service = await serve(loadConfig({ environment: process.env, overrides: { dataDir, server: { port: 0 }, ...platform.overrides, revocation: { alertAfterMs: 60_000 }, log: { level: 'info' } } }));
const [alice] = MAILBOXES;
const { imap, pop3, submission, doveadm } = platform.dovecot;
process.stdout.write(`
  Webmail        ${service.url}
  User Panel     ${service.url}/panel
  Mailboxes      ${MAILBOXES.map(({ address, password }) => `${address} / ${password}`).join('   ')}
  Dovecot        IMAP ${String(imap)}, POP3 ${String(pop3)}, submission ${String(submission)}, doveadm HTTP ${String(doveadm)}

  See an IMAP client die:
    1. In another terminal stay connected as Alice (any mail program does; this one needs nothing):
         node -e 'const s=require("net").connect(${String(imap)},"127.0.0.1");s.pipe(process.stdout);s.on("close",()=>console.log("-- the server ended the connection"));setTimeout(()=>s.write("a LOGIN ${alice.address} ${alice.password}\\r\\nb SELECT INBOX\\r\\nc IDLE\\r\\n"),200)'
    2. Log in to the webmail as ${alice.address}, open My account > Account, change the password.
    3. The terminal prints "-- the server ended the connection"; the same command again is refused.

  Ctrl+C ends everything and removes it.

`);
const stop = (): void => {
  void (async () => {
    await service.stop();
    await platform.stop();
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(0);
  })();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
