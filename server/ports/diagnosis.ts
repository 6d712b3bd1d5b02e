import type { CallOptions } from './callOptions.ts';

/** What `doctor` found in one respect. Never holds a secret. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  /** In a word or two: `tls`, `log-in`, `permission`. */
  readonly check: string;
  readonly text: string;
  /** What to do now; only where something is not good. */
  readonly todo?: string | undefined;
}

export interface DiagnoseOptions extends CallOptions {
  /** `server.publicUrl` and `server.basePath` of the configuration. */
  readonly publicUrl: string | null;
  readonly basePath: string;
  /** Makes one log-in that the mail server refuses, of a name that nobody has; null where no way to log in is known. */
  readonly refusedLogIn: (() => Promise<void>) | null;
}

/** A server that is spoken to over TLS. */
export interface TlsEndpoint {
  readonly host: string;
  readonly port: number;
  /** What is said before TLS begins; nothing for https, ldaps, rediss, imaps and the like. */
  readonly before?: 'mysql' | 'postgres' | 'smtp' | 'imap' | 'ldap' | undefined;
}

/** A driver that can say more than whether it works. Without it `doctor` uses `check`. */
export interface Diagnosable {
  /** Every server that it reaches over TLS; left out = none. The end of their certificates is watched. */
  readonly tls?: readonly TlsEndpoint[];
  /** Changes nothing, and rejects only where it cannot look at all. */
  diagnose?(options: DiagnoseOptions): Promise<readonly Finding[]>;
}

export const ok = (check: string, text: string): Finding => ({ level: 'ok', check, text });
export const warn = (check: string, text: string, todo: string): Finding => ({ level: 'warn', check, text, todo });
export const fail = (check: string, text: string, todo: string): Finding => ({ level: 'fail', check, text, todo });
