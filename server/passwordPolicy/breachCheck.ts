import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { number, string } from 'yup';
import { ModuleError } from '../../module/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { ServerVerdict } from '../ports/passwordPolicyProvider.ts';
import type { Secret } from '../secret.ts';

/** Options that every breach list has. */
export const breachOptions = {
  onFailure: string().oneOf(['accept', 'refuse'] as const)
    .meta({ description: 'Where the list cannot be asked: accept the password (default; a log line says so), or refuse the change for now', example: 'accept' }),
  minCount: number().integer().min(1).max(1_000_000_000).meta({ description: 'Refuse passwords that were seen at least so often (default 1)', example: 1 }),
};

/** The form in which breach lists know a password: SHA-1 of its UTF-8 bytes, 40 upper-case hexadecimal digits. */
export const sha1Of = (password: Secret): string => createHash('sha1').update(password.reveal(), 'utf8').digest('hex').toUpperCase();

export interface Breaker {
  /** Failures in a row after which nothing is asked for a while. */
  readonly failures: number;
  readonly pauseMs: number;
}

interface BreachCheckOptions {
  readonly name: string;
  readonly onFailure: 'accept' | 'refuse';
  readonly clock: Clock;
  readonly log: Logger;
  readonly breaker: Breaker;
}

/**
 * Asks a list, and decides what it means that it cannot be asked. After some failures in a row it is left alone for a while (a
 * circuit breaker, half-open with one question afterwards), so that an outage does not slow every change by its time-out.
 */
export function createBreachCheck({ name, onFailure, clock, log, breaker }: BreachCheckOptions) {
  let failed = 0;
  let askAgainAt = 0;
  let probing = false;

  async function ask(question: () => Promise<boolean>): Promise<boolean> {
    const open = failed >= breaker.failures;
    if (open && (probing || clock.now() < askAgainAt)) throw new Error('not asked: it did not answer a moment ago');
    probing = open;
    try {
      const answer = await question();
      if (failed > 0) log.info({ rule: name }, 'the breach list answers again');
      failed = 0;
      return answer;
    } catch (error) {
      failed += 1;
      askAgainAt = clock.now() + breaker.pauseMs;
      throw error;
    } finally {
      if (open) probing = false;
    }
  }

  return async (question: () => Promise<boolean>): Promise<ServerVerdict> => {
    try {
      return await ask(question) ? 'violated' : 'met';
    } catch (error) {
      const detail = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
      if (onFailure === 'refuse') throw new ModuleError('POLICY_UNAVAILABLE', { detail: `${name}: ${detail}` });
      log.warn({ rule: name, detail }, 'a new password could not be compared with the breach list and was accepted');
      return 'unknown';
    }
  };
}
