import type { FastifyInstance } from 'fastify';
import { CHANNELS } from '../../../module/channels.ts';
import { ModuleError } from '../../../module/errors.ts';
import { type ContextResponse, OPERATIONS } from '../../../module/operations.ts';
import { isCommon } from '../../../module/policy/commonPasswords.ts';
import { strength } from '../../../module/policy/passwordStrength.ts';
import { changeOwnPasswordSchema } from '../../../module/requests/changeOwnPassword.ts';
import { validateRequest } from '../../../module/requests/validateRequest.ts';
import { changeOwnPassword } from '../../useCases/changeOwnPassword.ts';
import type { Wiring } from '../../wiring.ts';
import { authenticate } from '../guard.ts';
import { useCaseDependencies } from '../useCaseDependencies.ts';
import type { WrongPasswordLimit } from '../wrongPasswordLimit.ts';

/** The operations of the wire contract. */
export function apiRoutes(app: FastifyInstance, wiring: Wiring, limit: WrongPasswordLimit): void {
  const { config, policy, host } = wiring;
  const at = (path: string): string => config.server.basePath + path;

  app.get(at(OPERATIONS.getContext.path), async (request): Promise<ContextResponse> => {
    const { address } = await authenticate(request, wiring);
    const offered = new Set(wiring.stores.flatMap(({ channels }) => channels));
    return { account: { address }, policy, channels: CHANNELS.filter((channel) => offered.has(channel)), writable: !config.readOnly };
  });

  app.post(at(OPERATIONS.changeOwnPassword.path), async (request, reply) => {
    const actor = await authenticate(request, wiring);
    if (config.readOnly) throw new ModuleError('READ_ONLY');
    return limit(actor.address, request.ip, async () => {
      const typed = (request.body as { currentPassword?: unknown } | null | undefined)?.currentPassword;
      const verdict = validateRequest(changeOwnPasswordSchema(policy, actor.address, typed, { isCommon, strength }), request.body);
      if ('fields' in verdict) {
        const onlyPolicy = verdict.fields.every(({ code }) => code.startsWith('PASSWORD_'));
        throw new ModuleError(onlyPolicy ? 'PASSWORD_REJECTED' : 'REQUEST_INVALID', { fields: verdict.fields });
      }
      const answer = await changeOwnPassword(
        { actor, ...verdict.value, requestId: request.id, remoteAddress: request.ip, userAgent: request.headers['user-agent'] ?? '', surface: 'account-section', language: request.headers['accept-language'] },
        useCaseDependencies(wiring),
      );
      void reply.header('Set-Cookie', [...host.clearedCookies()]);
      return answer;
    });
  });
}
