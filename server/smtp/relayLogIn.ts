import SMTPConnection, { type SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection';

/**
 * Connects, encrypts, logs in where `credentials` are given, and says good-bye. Rejects with nodemailer's error, or when the
 * signal ends it; then the connection is closed.
 */
export async function relayLogIn(options: SMTPConnectionOptions, credentials: { readonly user: string; readonly pass: string } | undefined, signal: AbortSignal): Promise<void> {
  const connection = new SMTPConnection(options);
  let onAbort = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => { reject(new Error('time-out')); };
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) { onAbort(); return; }
      connection.on('error', reject);
      connection.once('end', () => { reject(new Error('Connection closed')); });
      const told = (error: Error | null | undefined): void => { if (error) reject(error); else resolve(); };
      connection.connect((error) => {
        if (!error && credentials !== undefined && connection.allowsAuth) connection.login({ credentials }, told);
        else told(error);
      });
    });
    connection.quit();
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
