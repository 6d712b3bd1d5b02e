import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CHANNELS } from '../../../module/channels.ts';
import { ModuleError } from '../../../module/errors.ts';
import type { ChangeOwnPasswordRequest, CheckPasswordResponse } from '../../../module/operations.ts';
import { type DevicesResponse, USER_PANEL_OPERATIONS as OPERATIONS, type UserSessionResponse } from '../../../module/panelOperations.ts';
import { changeOwnPasswordSchema } from '../../../module/requests/changeOwnPassword.ts';
import { emptySchema, endDeviceSchema, endDevicesSchema, userLogInSchema } from '../../../module/requests/panelRequests.ts';
import { PANEL_STORE, type PanelSession } from '../../panels/panelSessions.ts';
import { policyResources } from '../../passwordPolicy/policyResources.ts';
import { changeOwnPassword } from '../../useCases/changeOwnPassword.ts';
import { checkNewPassword } from '../../useCases/checkNewPassword.ts';
import { listSessions } from '../../useCases/listSessions.ts';
import { revokeEverything, revokeOne, revokeOthers } from '../../useCases/revokeSessions.ts';
import { forStrangers, verifyTyped } from '../../useCases/verifyTyped.ts';
import type { Wiring } from '../../wiring.ts';
import type { WrongPasswordLimit } from '../wrongPasswordLimit.ts';
import { useCaseDependencies } from '../useCaseDependencies.ts';
import { validated } from '../validated.ts';
import { panelGuard, requester } from './panelGuard.ts';

/** In the place of an administrator's credential: who logged in so has to choose a new password before anything else. */
const CHANGE_REQUIRED = 'change-required';

/** The User Panel's API: the mailbox is always the one of the session, never one that a request names. */
export function userPanelRoutes(app: FastifyInstance, wiring: Wiring, limit: WrongPasswordLimit): void {
  const { config, policy, accounts, clock, panels } = wiring;
  const at = (path: string): string => config.server.basePath + path;
  const guard = panelGuard(wiring, 'user');
  const options = () => ({ signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  const dependencies = useCaseDependencies(wiring);
  const everywhere = [...wiring.stores, panels.sessions.store];

  const describe = ({ subject, csrfToken, credential }: PanelSession): UserSessionResponse => {
    const offered = new Set(wiring.stores.flatMap(({ channels }) => channels));
    return {
      account: { address: subject }, csrfToken, policy, channels: CHANNELS.filter((channel) => offered.has(channel)), writable: !config.readOnly,
      reauthenticateAfterSeconds: config.panels.user.reauthenticateAfterSeconds, mailSettings: panels.mailSettings, changeRequired: credential === CHANGE_REQUIRED,
    };
  };

  const passwords = async ({ body }: FastifyRequest, address: string): Promise<ChangeOwnPasswordRequest> => {
    const { currentPassword, newPassword } = (body ?? {}) as { currentPassword?: unknown; newPassword?: unknown };
    return validated(changeOwnPasswordSchema(policy, address, currentPassword, await policyResources(policy, newPassword, address.toLowerCase())), body);
  };

  /** The session of somebody who may do more than choose a new password. */
  async function free(request: FastifyRequest): Promise<PanelSession> {
    const session = await guard.session(request);
    if (session.credential === CHANGE_REQUIRED) throw new ModuleError('PASSWORD_CHANGE_REQUIRED');
    return session;
  }

  app.post(at(OPERATIONS.logIn.path), async (request, reply) => {
    const { address, password } = validated(userLogInSchema, request.body);
    const startedAt = clock.now();
    await limit(address, request.ip, async () => {
      if (await verifyTyped(password, address, forStrangers(accounts, wiring.log, request.id), options) !== null) return;
      await guard.write(request, { action: 'signIn', actor: address, address, outcome: 'CREDENTIALS_WRONG' });
      throw new ModuleError('CREDENTIALS_WRONG');
    });
    const account = await accounts.find(address, options());
    return describe(await guard.open(request, reply, account?.address ?? address, account?.changeRequired === true ? CHANGE_REQUIRED : '', startedAt));
  });

  app.get(at(OPERATIONS.getSession.path), async (request) => describe(await guard.session(request)));

  app.post(at(OPERATIONS.logOut.path), async (request, reply) => {
    await guard.session(request);
    validated(emptySchema, request.body);
    await guard.close(request, reply);
    return {};
  });

  app.post(at(OPERATIONS.changePassword.path), async (request, reply) => {
    const { subject, id } = await guard.session(request);
    if (config.readOnly) throw new ModuleError('READ_ONLY');
    return limit(subject, request.ip, async () => {
      const answer = await changeOwnPassword({ actor: { kind: 'owner', address: subject, sessionId: id }, ...await passwords(request, subject), ...requester(request, 'user') }, dependencies);
      guard.clearCookie(reply);
      return answer;
    });
  });

  app.post(at(OPERATIONS.checkPassword.path), async (request): Promise<CheckPasswordResponse> => {
    const { subject } = await guard.session(request);
    if (config.readOnly) throw new ModuleError('READ_ONLY');
    return limit(subject, request.ip, async () => checkNewPassword({ address: subject, ...await passwords(request, subject), requester: requester(request, 'user') }, dependencies));
  });

  app.get(at(OPERATIONS.listDevices.path), async (request): Promise<DevicesResponse> => {
    const { subject, id } = await free(request);
    const { sessions, unavailable } = await listSessions(subject, everywhere, config.timeouts.sessionsMs);
    const devices = sessions.map((session) => ({ ...session, current: session.store === PANEL_STORE && session.id === id }));
    return { devices: devices.sort((a, b) => Number(b.current) - Number(a.current) || (b.lastSeenAt ?? 0) - (a.lastSeenAt ?? 0)), unavailable };
  });

  app.post(at(OPERATIONS.endDevice.path), async (request, reply) => {
    const { subject, id } = await free(request);
    const wanted = validated(endDeviceSchema, request.body);
    const store = everywhere.find(({ name }) => name === wanted.store);
    const answer = await revokeOne({ audit: { actor: subject, actorKind: 'owner' }, requester: requester(request, 'user'), address: subject }, store, wanted.id, dependencies);
    if (wanted.store === PANEL_STORE && wanted.id === id) guard.clearCookie(reply);
    return answer;
  });

  app.post(at(OPERATIONS.endDevices.path), async (request, reply) => {
    const { subject, id } = await free(request);
    const { which } = validated(endDevicesSchema, request.body);
    const asked = { audit: { actor: subject, actorKind: 'owner' as const }, requester: requester(request, 'user'), address: subject };
    if (which === 'others') return revokeOthers(asked, { store: panels.sessions.store, sessionId: id }, dependencies);
    const answer = await revokeEverything(asked, dependencies);
    guard.clearCookie(reply);
    return answer;
  });
}
