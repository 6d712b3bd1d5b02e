import type { CallOptions } from './callOptions.ts';
import type { Diagnosable } from './diagnosis.ts';

/** One e-mail, ready to go. Addresses and headers hold no control character; the driver encodes what is not ASCII. */
export interface OutgoingMail {
  /** The same for every try, so that a relay or a mailbox can tell a repetition: `<id@domain>`. */
  readonly messageId: string;
  /** Milliseconds since the epoch; the same for every try. */
  readonly date: number;
  readonly from: { readonly name: string; readonly address: string };
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** BCP 47. */
  readonly language: string;
}

/** Whose fault it is that a mail was not taken decides what happens to it. */
export type RefusalKind =
  /** The relay cannot be reached, or refuses us altogether (log-in, sender): every mail waits. */
  | 'relay'
  /** This mail was refused for now: it is tried again. */
  | 'temporary'
  /** This mail was refused for good: trying again is of no use. */
  | 'permanent';

export class NotSent extends Error {
  override readonly name = 'NotSent';
  readonly kind: RefusalKind;

  /** `detail` may hold the relay's own words, never a secret. */
  constructor(kind: RefusalKind, detail: string) {
    super(detail);
    this.kind = kind;
  }
}

/** Hands e-mails to whoever delivers them. Errors: {@link NotSent}. */
export interface Notifier extends Diagnosable {
  readonly name: string;
  send(mail: OutgoingMail, options: CallOptions): Promise<void>;
  /** Rejects with {@link NotSent} where nothing could be sent now; sends nothing. */
  check(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}
