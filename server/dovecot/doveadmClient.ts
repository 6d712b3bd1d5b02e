import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { type AxiosInstance, type AxiosResponse, isAxiosError } from 'axios';
import { ModuleError } from '../../module/errors.ts';
import { readCertificateFile } from '../config/certificateFile.ts';
import { Lane } from '../lane.ts';
import type { Clock } from '../ports/clock.ts';

export interface DoveadmOptions {
  readonly url: string;
  /** `doveadm_api_key` of the Dovecot configuration. */
  readonly apiKey: string;
  /** While it is exchanged: the other one. */
  readonly previousApiKey?: string | undefined;
  /** PEM file with the authority of an https listener. */
  readonly caFile?: string | undefined;
}

export interface DoveadmAnswer {
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** Exit code of the command; 0 = done. 68 (EX_NOHOST) from `kick`: nobody is connected. */
  readonly exitCode: number;
  /** From the question (not from when its turn was waited for) to the answer, milliseconds; of commands that were asked together, all of them. */
  readonly tookMs: number;
  /** Dovecot's clock less the module's, milliseconds; the header it comes from counts seconds. */
  readonly clockOffset: number;
}

type Command = readonly [command: string, parameters: Readonly<Record<string, unknown>>];

const isRefused = ({ status }: { readonly status: number }): boolean => status === 401 || status === 403;

/** Requests under way at once: each is a new process there. More would slow down every log-in meanwhile; fewer, and one that waits for its turn misses its deadline. */
const AT_ONCE = 8;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * The doveadm HTTP API (https://doc.dovecot.org/2.3/admin_manual/doveadm_http_api/): no child process, nothing secret in argv.
 * Every request costs Dovecot a new process, several commands in one hardly more than one. Errors come with HTTP 200.
 * Where several of them fail, Dovecot 2.3 forgets a comma in its JSON: then none of them counts as done.
 */
export class DoveadmClient {
  readonly #http: AxiosInstance;
  readonly #clock: Clock;
  readonly #authorizations: readonly string[];
  readonly #lane = new Lane(AT_ONCE);
  /** Which of them Dovecot took last. */
  #good = 0;

  constructor({ url, apiKey, previousApiKey, caFile }: DoveadmOptions, clock: Clock) {
    this.#clock = clock;
    this.#authorizations = [apiKey, ...(previousApiKey === undefined ? [] : [previousApiKey])].map((key) => `X-Dovecot-API ${Buffer.from(key).toString('base64')}`);
    // Asked with "Connection: close", Dovecot 2.3 leaves a refused key without an answer; it closes after each one anyway.
    const agent = { keepAlive: true, maxFreeSockets: 0 };
    this.#http = axios.create({
      baseURL: url,
      headers: { 'Content-Type': 'application/json' },
      // A redirect would carry the key to somebody else; a proxy of the environment as well.
      maxRedirects: 0,
      proxy: false,
      adapter: 'http',
      responseType: 'text',
      transformResponse: (text: string) => text,
      maxContentLength: MAX_ANSWER_BYTES,
      validateStatus: () => true,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent({ ...agent, ...(caFile !== undefined && { ca: readCertificateFile(caFile, 'caFile') }) }),
    });
  }

  async #post(body: string, key: number, signal: AbortSignal): Promise<AxiosResponse<string>> {
    return this.#http.post<string>('/doveadm/v1', body, { signal, headers: { Authorization: this.#authorizations[key] ?? '' } })
      .catch((error: unknown) => { throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `doveadm: ${isAxiosError(error) ? (error.code ?? 'no answer') : 'no answer'}` }); });
  }

  /** Throws SESSIONS_UNAVAILABLE or SESSIONS_MISCONFIGURED; details never hold the key. */
  async call(command: string, parameters: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<DoveadmAnswer> {
    const [answer] = await this.callInTurn([[command, parameters]], signal);
    if (answer === undefined) throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `doveadm ${command}: no answer` });
    return answer;
  }

  /** Several commands in one request, done one after the other; an answer for each, in that order. Rejects where one of them has none. */
  async callInTurn(commands: readonly Command[], signal: AbortSignal): Promise<readonly DoveadmAnswer[]> {
    return this.#lane.run(() => this.#callNow(commands, signal), { signal, late: () => new ModuleError('SESSIONS_UNAVAILABLE', { detail: 'doveadm: time-out' }) });
  }

  async #callNow(commands: readonly Command[], signal: AbortSignal): Promise<readonly DoveadmAnswer[]> {
    const sentAt = this.#clock.now();
    const began = performance.now();
    const body = JSON.stringify(commands.map(([command, parameters], at) => [command, parameters, String(at)]));
    const tried = this.#good;
    let answer = await this.#post(body, tried, signal);
    if (isRefused(answer) && this.#authorizations.length > 1) {
      const other = (tried + 1) % this.#authorizations.length;
      answer = await this.#post(body, other, signal);
      if (!isRefused(answer)) this.#good = other;
    }
    const { status, data, headers } = answer;
    if (isRefused(answer)) throw new ModuleError('SESSIONS_MISCONFIGURED', { detail: 'doveadm refuses the API key' });
    if (status !== 200) throw new ModuleError(status >= 500 ? 'SESSIONS_UNAVAILABLE' : 'SESSIONS_MISCONFIGURED', { detail: `doveadm answers HTTP ${String(status)}` });
    const clockOffset = offsetOf(String(headers['date']), sentAt, this.#clock.now());
    const tookMs = performance.now() - began;
    const parts = parseAnswers(commands.map(([command]) => command).join(', '), data);
    return commands.map(([command], at) => ({ ...readAnswer(command, parts.find(([, , tag]) => tag === String(at))), tookMs, clockOffset }));
  }
}

/** 0 where the difference is not more than what the header (whole seconds) and a slow answer leave open. */
function offsetOf(header: string, sentAt: number, receivedAt: number): number {
  const date = Date.parse(header);
  const offset = Number.isNaN(date) ? 0 : date + 500 - (sentAt + receivedAt) / 2;
  return Math.abs(offset) <= 1_000 + (receivedAt - sentAt) / 2 ? 0 : offset;
}

type Answered = readonly [kind?: unknown, body?: unknown, tag?: unknown];

function parseAnswers(commands: string, text: string): readonly Answered[] {
  try {
    const answer: unknown = JSON.parse(text);
    return Array.isArray(answer) ? answer.filter((one): one is unknown[] => Array.isArray(one)) as unknown as Answered[] : [];
  } catch {
    throw new ModuleError('SESSIONS_UNAVAILABLE', { detail: `doveadm ${commands}: not JSON` });
  }
}

function readAnswer(command: string, [kind, body]: Answered = []): Pick<DoveadmAnswer, 'rows' | 'exitCode'> {
  if (kind === 'doveadmResponse' && Array.isArray(body)) return { rows: body as Record<string, string>[], exitCode: 0 };
  const { type, exitCode } = (kind === 'error' && typeof body === 'object' && body !== null ? body : {}) as { type?: unknown; exitCode?: unknown };
  if (type === 'exitCode' && typeof exitCode === 'number') return { rows: [], exitCode };
  throw new ModuleError(type === 'unknownMethod' ? 'SESSIONS_MISCONFIGURED' : 'SESSIONS_UNAVAILABLE', { detail: `doveadm ${command}: ${typeof type === 'string' ? type : 'no answer'}` });
}
