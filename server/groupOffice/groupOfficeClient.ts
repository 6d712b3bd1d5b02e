import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { CallOptions } from '../ports/accountApi.ts';

/** `package/name` of the drop-in (`module/group-office/`). */
export const DROP_IN = 'mailboxpassword/mailboxpassword';

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Why Group-Office did not do it. `kind`:
 * - `refused`: it answered, and `type` is the JMAP error (`unauthorized`, `forbidden`, `stateMismatch`, ...);
 * - `unreachable`: nothing was sent, or an answer came that shows that nothing was done;
 * - `unknown`: the request was sent whole and no answer can be read.
 * The message holds no secret.
 */
export class GroupOfficeError extends Error {
  override readonly name = 'GroupOfficeError';
  readonly kind: 'refused' | 'unreachable' | 'unknown';
  readonly type: string;

  constructor(kind: GroupOfficeError['kind'], type: string, message = type, cause?: unknown) {
    super(`Group-Office: ${message}`, { cause });
    this.kind = kind;
    this.type = type;
  }
}

/** As whom a call is made: with a browser's forwarded session, with a service key, or as nobody. */
export type Credentials =
  | {
      readonly kind: 'session';
      readonly accessToken: string;
      readonly csrfToken?: string | undefined;
      /** PHP's own session cookie, so that ending the caller's session ends it too. */
      readonly phpSession?: string | undefined;
      readonly forward?: ForwardedRequest | undefined;
    }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'nobody' };

/** What of the browser's request Group-Office must see: it chooses its configuration by Host and logs the client. */
export interface ForwardedRequest {
  readonly host?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly remoteAddress?: string | undefined;
}

export interface LoginAnswer {
  /** `in`: logged in; `second`: right, and a second factor is asked for; `wrong`; `disabled`. */
  readonly outcome: 'in' | 'second' | 'wrong' | 'disabled';
  readonly accessToken?: string;
  readonly loginToken?: string;
  /** With `second`: the authenticators that are still asked for, `otpauthenticator` or `forcepasswordchange`. */
  readonly pending?: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

interface Outgoing {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly credentials: Credentials;
  readonly body?: unknown;
  /** On a connection of its own: a kept one may be closed by the other side just then, and nobody could say what was done. */
  readonly fresh?: boolean;
}

const HEADER_SAFE = /^[\x21-\x7e]+$/;

/**
 * The one place that speaks to a Group-Office. Where it stands comes from the configuration alone, never from a request;
 * redirects are not followed, so that no credential leaves for another host.
 */
export class GroupOfficeClient {
  readonly #base: URL;
  readonly #host: string | undefined;
  readonly #agent: HttpAgent | HttpsAgent;

  /** `url`: where Group-Office answers, its folder included. `host`: the Host header of calls that forward nobody's. */
  constructor({ url, host }: { readonly url: string; readonly host?: string | null | undefined }) {
    this.#base = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#host = host ?? undefined;
    this.#agent = this.#base.protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** One JMAP call. JMAP errors come under HTTP 200; each is thrown as {@link GroupOfficeError}. */
  async call<T>(credentials: Credentials, method: string, params: object, options: CallOptions): Promise<T> {
    return this.callAll<T>(credentials, method, [params], 0, options);
  }

  /** The same method several times in one request, in this order whatever the one before comes to; answers what call number `which` came to. */
  async callAll<T>(credentials: Credentials, method: string, params: readonly object[], which: number, options: CallOptions): Promise<T> {
    const body = params.map((one, index) => [method, one, `c${String(index + 1)}`]);
    const answer = await this.#send({ method: 'POST', path: 'api/jmap.php', credentials, body, fresh: method.endsWith('/set') }, options);
    const found: unknown = Array.isArray(answer.body) ? (answer.body as unknown[])[which] : undefined;
    if (answer.status !== 200 || !Array.isArray(found)) {
      throw new GroupOfficeError('unknown', 'noJmap', `${method} answered HTTP ${String(answer.status)} without JMAP`);
    }
    const [name, result] = found as [unknown, Record<string, unknown>];
    if (name === 'error') {
      const type = typeof result.type === 'string' ? result.type : 'serverFail';
      // The message of an unforeseen exception may quote what was sent: only the two that speak of classes are repeated.
      const said = type === 'serverFail' && typeof result.message === 'string' && result.message.startsWith('Bad request.');
      throw new GroupOfficeError('refused', type, `${method}: ${type}${said ? ` (${String(result.message)})` : ''}`);
    }
    return result as T;
  }

  /** A method of the drop-in. */
  async dropIn<T>(credentials: Credentials, method: string, params: object, options: CallOptions): Promise<T> {
    return this.call<T>(credentials, `${DROP_IN}/Session/${method}`, params, options);
  }

  /** The JMAP session of a cookie or key, or null where it is logged in no more. GET needs no CSRF token and gives it. */
  async session(credentials: Credentials, options: CallOptions): Promise<{ userId: string; CSRFToken: string; version: string; capabilities: Record<string, unknown> } | null> {
    const answer = await this.#send({ method: 'GET', path: 'api/jmap.php', credentials }, options);
    if (answer.status === 401) return null;
    if (answer.status !== 200 || typeof answer.body !== 'object' || answer.body === null || !('userId' in answer.body)) {
      throw new GroupOfficeError('unreachable', 'noSession', `the session answered HTTP ${String(answer.status)}`);
    }
    return answer.body as { userId: string; CSRFToken: string; version: string; capabilities: Record<string, unknown> };
  }

  /** A real log-in: it makes a token, which the caller must drop with {@link drop}. */
  async login(username: string, password: string, options: CallOptions): Promise<LoginAnswer> {
    // PHP's empty(): Group-Office would answer 400, "missing arguments". Nobody has such a password.
    if (password === '' || password === '0') return { outcome: 'wrong' };
    const answer = await this.#send({ method: 'POST', path: 'api/auth.php', credentials: { kind: 'nobody' }, body: { username, password } }, options);
    const body = bodyOf(answer);
    if (answer.status === 201 && typeof body.accessToken === 'string') return { outcome: 'in', accessToken: body.accessToken };
    if (answer.status === 200 && typeof body.loginToken === 'string') {
      const pending = Array.isArray(body.authenticators) ? body.authenticators.filter((name) => typeof name === 'string') : [];
      return { outcome: 'second', loginToken: body.loginToken, pending };
    }
    if (answer.status === 401) return { outcome: 'wrong' };
    if (answer.status === 403) return { outcome: 'disabled' };
    throw new GroupOfficeError('unreachable', 'noLogin', `the log-in answered HTTP ${String(answer.status)}`);
  }

  /**
   * The new password that a log-in asks for before it lets anybody in (`forcepasswordchange`). Answers the access token of the session that
   * this opens, which the caller must drop, or the names of what was refused: `currentPassword`, `password`.
   */
  async chooseAtLogin(loginToken: string, current: string, next: string, options: CallOptions): Promise<{ readonly accessToken: string } | { readonly refused: readonly string[] }> {
    const body = { loginToken, authenticators: { forcepasswordchange: { currentPassword: current, password: next } } };
    const answer = await this.#send({ method: 'POST', path: 'api/auth.php', credentials: { kind: 'nobody' }, body, fresh: true }, options);
    const told = bodyOf(answer);
    if (answer.status === 201 && typeof told.accessToken === 'string') return { accessToken: told.accessToken };
    const errors = (told.errors as Record<string, unknown> | undefined)?.forcepasswordchange;
    if (answer.status === 400 && typeof errors === 'object' && errors !== null) return { refused: Object.keys(errors) };
    throw new GroupOfficeError(answer.status === 400 ? 'unreachable' : 'unknown', 'noLogin', `the log-in answered HTTP ${String(answer.status)}`);
  }

  /** Ends one session. By Bearer: with a cookie and no CSRF token it would answer 200 and end nothing. */
  async drop(accessToken: string, options: CallOptions): Promise<void> {
    await this.#send({ method: 'DELETE', path: 'api/auth.php', credentials: { kind: 'bearer', token: accessToken } }, options);
  }

  /** Any other page, for `doctor`. */
  async page(path: string, options: CallOptions): Promise<Answer> {
    return this.#send({ method: 'GET', path, credentials: { kind: 'nobody' } }, options);
  }

  #headers(credentials: Credentials, body: Buffer | undefined): Record<string, string> {
    // Group-Office answers 500 to a log-in without a User-Agent (measured on 26.0.42): it names the client by it.
    const headers: Record<string, string> = { Accept: 'application/json', 'User-Agent': 'mailbox-password' };
    if (this.#host !== undefined) headers.Host = this.#host;
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      headers['Content-Length'] = String(body.length);
    }
    if (credentials.kind === 'bearer') headers.Authorization = `Bearer ${credentials.token}`;
    if (credentials.kind === 'session') {
      const { accessToken, csrfToken, phpSession, forward } = credentials;
      headers.Cookie = `accessToken=${accessToken}${phpSession === undefined ? '' : `; groupoffice=${phpSession}`}`;
      if (csrfToken !== undefined) headers['X-CSRF-Token'] = csrfToken;
      if (forward?.host !== undefined && this.#host === undefined) headers.Host = forward.host;
      if (forward?.userAgent !== undefined && forward.userAgent !== '') headers['User-Agent'] = forward.userAgent;
      if (forward?.remoteAddress !== undefined) headers['X-Forwarded-For'] = forward.remoteAddress;
    }
    return headers;
  }

  #send({ method, path, credentials, body, fresh }: Outgoing, { signal }: CallOptions): Promise<Answer> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      let sent = false;
      const fail = (message: string, cause?: unknown): void =>
        reject(new GroupOfficeError(sent ? 'unknown' : 'unreachable', sent ? 'noAnswer' : 'unreachable', message, cause));
      if (signal.aborted) return fail('the deadline had passed');
      const send = this.#base.protocol === 'https:' ? httpsRequest : httpRequest;
      const outgoing = send(new URL(path, this.#base), { method, agent: fresh === true ? false : this.#agent, headers: this.#headers(credentials, payload), signal }, (incoming) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) incoming.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        incoming.on('error', (error) => fail('the answer broke off', error));
        incoming.on('end', () => {
          let parsed: unknown;
          try {
            parsed = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          } catch {
            parsed = undefined;
          }
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: parsed });
        });
      });
      outgoing.on('error', (error) => fail(signal.aborted ? 'no answer before the deadline' : 'no connection, or it broke off', error));
      // "Sent" only when a connection stands: refused and unresolved hosts have certainly done nothing.
      outgoing.on('socket', (socket) => {
        if (socket.connecting) socket.once('connect', () => (sent = true));
        else sent = true;
      });
      outgoing.end(payload);
    });
  }
}

const bodyOf = ({ body }: Answer): Record<string, unknown> => (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;

/** A cookie or header of a request, where it can stand in ours: one visible ASCII word. */
export function headerSafe(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= 512 && HEADER_SAFE.test(value) ? value : undefined;
}
