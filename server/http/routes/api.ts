import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CHANNELS } from '../../../module/channels.ts';
import { ModuleError } from '../../../module/errors.ts';
import { type ChangeOwnPasswordRequest, type CheckPasswordResponse, type ContextResponse, OPERATIONS } from '../../../module/operations.ts';
import { changeOwnPasswordSchema } from '../../../module/requests/changeOwnPassword.ts';
import { changeOwnPassword } from '../../useCases/changeOwnPassword.ts';
import { checkNewPassword } from '../../useCases/checkNewPassword.ts';
import { policyResources } from '../../passwordPolicy/policyResources.ts';
import type { Requester } from '../../useCases/replacePassword.ts';
import type { Wiring } from '../../wiring.ts';
import { authenticate } from '../guard.ts';
import { validated } from '../validated.ts';
import { useCaseDependencies } from '../useCaseDependencies.ts';
import type { WrongPasswordLimit } from '../wrongPasswordLimit.ts';

/** The operations of the wire contract. */
export function apiRoutes(app: FastifyInstance, wiring: Wiring, limit: WrongPasswordLimit): void {
  const { config, policy, host } = wiring;
  const at = (path: string): string => config.server.basePath + path;

  const requester = (request: FastifyRequest): Requester => ({
    requestId: request.id, remoteAddress: request.ip, userAgent: request.headers['user-agent'] ?? '', surface: 'account-section', language: request.headers['accept-language'],
  });
  const passwords = async ({ body }: FastifyRequest, address: string): Promise<ChangeOwnPasswordRequest> => {
    const { currentPassword, newPassword } = (body ?? {}) as { currentPassword?: unknown; newPassword?: unknown };
    return validated(changeOwnPasswordSchema(policy, address, currentPassword, await policyResources(policy, newPassword, address.toLowerCase())), body);
  };

  app.get(at(OPERATIONS.getContext.path), async (request): Promise<ContextResponse> => {
    const { address } = await authenticate(request, wiring);
    const offered = new Set(wiring.stores.flatMap(({ channels }) => channels));
    return { account: { address }, policy, channels: CHANNELS.filter((channel) => offered.has(channel)), writable: !config.readOnly };
  });

  app.post(at(OPERATIONS.changeOwnPassword.path), async (request, reply) => {
    const actor = await authenticate(request, wiring);
    if (config.readOnly) throw new ModuleError('READ_ONLY');
    return limit(actor.address, request.ip, async () => {
      const answer = await changeOwnPassword(
        { actor, ...await passwords(request, actor.address), ...requester(request) },
        useCaseDependencies(wiring),
      );
      void reply.header('Set-Cookie', [...host.clearedCookies()]);
      return answer;
    });
  });
  app.post(at(OPERATIONS.checkPassword.path), async (request): Promise<CheckPasswordResponse> => {
    const { address } = await authenticate(request, wiring);
    if (config.readOnly) throw new ModuleError('READ_ONLY');
    return limit(address, request.ip, async () => checkNewPassword({ address, ...await passwords(request, address), requester: requester(request) }, useCaseDependencies(wiring)));
  });
}
