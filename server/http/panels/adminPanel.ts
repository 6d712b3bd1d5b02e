import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ModuleError } from '../../../module/errors.ts';
import type { CheckPasswordResponse } from '../../../module/operations.ts';
import {
  ADMIN_PANEL_OPERATIONS as OPERATIONS, type AdminSessionResponse, type DomainsResponse, type HistoryResponse, type HostAdministratorResponse, type MailboxesResponse, type MailboxResponse, type MailboxRow,
  type SessionCountsResponse,
} from '../../../module/panelOperations.ts';
import type { PolicyResources } from '../../../module/policy/rules/rule.ts';
import {
  adminLogInSchema, checkPasswordToSetSchema, countSessionsSchema, emptySchema, historySchema, listDomainsSchema, listMailboxesSchema, mailboxSchema, requireChangeSchema, setPasswordSchema,
} from '../../../module/requests/panelRequests.ts';
import { type Administrator, HOST_CREDENTIAL, hostAdministrator } from '../../panels/administrators.ts';
import type { PanelSession } from '../../panels/panelSessions.ts';
import { digest, openCursor, sealCursor } from '../../panels/tokens.ts';
import { policyResources } from '../../passwordPolicy/policyResources.ts';
import type { Account } from '../../ports/accountApi.ts';
import { Secret } from '../../secret.ts';
import { checkPasswordToSet } from '../../useCases/checkNewPassword.ts';
import { listSessions } from '../../useCases/listSessions.ts';
import { cutDomains, pageOfDomains } from '../../useCases/pageOfDomains.ts';
import { passwordVersionOf } from '../../useCases/passwordVersionOf.ts';
import { requireNewPassword } from '../../useCases/requireNewPassword.ts';
import { revokeEverything } from '../../useCases/revokeSessions.ts';
import { setMailboxPassword } from '../../useCases/setMailboxPassword.ts';
import type { Wiring } from '../../wiring.ts';
import type { WrongPasswordLimit } from '../wrongPasswordLimit.ts';
import { hostAdministratorOf } from '../guard.ts';
import { useCaseDependencies } from '../useCaseDependencies.ts';
import { historyCsv } from './historyCsv.ts';
import { validated } from '../validated.ts';
import { panelGuard, requester } from './panelGuard.ts';
import { type Scope, scopeOf } from './scope.ts';

const DOMAINS_PAGE = 50;
const MAILBOXES_PAGE = 50;
const HISTORY_PAGE = 50;
/** Mailboxes whose stores are asked at the same time. */
const AT_ONCE = 8;

interface Caller { readonly session: PanelSession; readonly administrator: Administrator; readonly scope: Scope }

const toRow = ({ address, displayName, enabled, passwordChangedAt }: Account): MailboxRow => ({ address, displayName: displayName ?? null, enabled, passwordChangedAt });

/** The Admin Panel's API. Who the caller is and which domains that means is looked up in the configuration at every call. */
export function adminPanelRoutes(app: FastifyInstance, wiring: Wiring, limit: WrongPasswordLimit): void {
  const { config, policy, accounts, clock, panels, audit, stores } = wiring;
  const at = (path: string): string => config.server.basePath + path;
  const guard = panelGuard(wiring, 'admin');
  const options = () => ({ signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  const dependencies = useCaseDependencies(wiring);

  async function caller(request: FastifyRequest): Promise<Caller> {
    const session = await guard.session(request);
    const fromHost = session.credential === HOST_CREDENTIAL ? await hostAdministratorOf(request, wiring) : null;
    const administrator = session.credential === HOST_CREDENTIAL ? fromHost && hostAdministrator(fromHost) : panels.administrators.find(session.subject);
    if (administrator === null || administrator.credential !== session.credential || administrator.name !== session.subject) throw new ModuleError('AUTHENTICATION_REQUIRED');
    return { session, administrator, scope: scopeOf(administrator, request, guard) };
  }

  /** The scope is judged before anything else of the request: what lies outside is refused however the rest looks. */
  async function reachable(request: FastifyRequest, given: unknown): Promise<Caller> {
    const found = await caller(request);
    const address = (given as { address?: unknown } | null | undefined)?.address;
    if (typeof address === 'string') await found.scope.mailbox(address);
    return found;
  }

  /** The back end may know the mailbox under another name than the one that was asked for. */
  async function account(address: string, scope: Scope): Promise<Account> {
    const found = await accounts.find(address, options());
    if (found === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
    await scope.mailbox(found.address);
    return found;
  }

  async function openedCursor({ session, scope }: Caller, purpose: string, sealed: string | undefined): Promise<string | null> {
    if (sealed === undefined) return null;
    return openCursor(session.cursorKey, purpose, sealed) ?? (await scope.refuse(purpose));
  }

  const sealedCursor = ({ session }: Caller, purpose: string, cursor: string | null): string | null =>
    (cursor === null ? null : sealCursor(session.cursorKey, purpose, cursor));

  /** Says nothing about the stored hash, and counts for this log-in only. */
  const versionFor = ({ session }: Caller, version: string | null): string | null => (version === null ? null : digest(`${session.cursorKey}\0${version}`));

  const describe = ({ csrfToken }: PanelSession, { name, domains }: Administrator): AdminSessionResponse => {
    const { setPassword, listDomains, listMailboxes } = accounts.abilities;
    return { name: name.replace(/^host:/, ''), csrfToken, policy, writable: !config.readOnly, abilities: { setPassword, listDomains, listMailboxes }, domains };
  };

  app.post(at(OPERATIONS.logIn.path), async (request, reply) => {
    const { name, password } = validated(adminLogInSchema, request.body);
    const startedAt = clock.now();
    const administrator = await limit(name, request.ip, async () => {
      const right = await panels.administrators.verify(name, new Secret(password));
      if (right !== null) return right;
      await guard.write(request, { action: 'signIn', actor: name, address: '', outcome: 'CREDENTIALS_WRONG' });
      throw new ModuleError('CREDENTIALS_WRONG');
    }, 'administrator');
    return describe(await guard.open(request, reply, administrator.name, administrator.credential, startedAt), administrator);
  });

  app.get(at(OPERATIONS.getHostAdministrator.path), async (request): Promise<HostAdministratorResponse> => ({ name: (await hostAdministratorOf(request, wiring))?.name ?? null }));

  // Whoever the host says it is: no password is asked for, and none could be. Other sites cannot send this (Origin, Fetch Metadata).
  app.post(at(OPERATIONS.logInByHost.path), async (request, reply) => {
    validated(emptySchema, request.body);
    const startedAt = clock.now();
    const found = await hostAdministratorOf(request, wiring);
    if (found === null) throw new ModuleError('FORBIDDEN');
    const administrator = hostAdministrator(found);
    return describe(await guard.open(request, reply, administrator.name, administrator.credential, startedAt), administrator);
  });

  app.get(at(OPERATIONS.getSession.path), async (request) => {
    const { session, administrator } = await caller(request);
    return describe(session, administrator);
  });

  app.post(at(OPERATIONS.logOut.path), async (request, reply) => {
    await guard.session(request);
    validated(emptySchema, request.body);
    await guard.close(request, reply);
    return {};
  });

  app.get(at(OPERATIONS.listDomains.path), async (request): Promise<DomainsResponse> => {
    const found = await caller(request);
    const { search = '', cursor } = validated(listDomainsSchema, request.query);
    const purpose = `domains ${search}`;
    const { domains: own } = found.administrator;
    const query = { search: search.toLowerCase(), cursor: await openedCursor(found, purpose, cursor), limit: DOMAINS_PAGE };
    // An administrator of a few domains never makes the back end list all of them.
    const page = own === null ? await pageOfDomains(accounts, query, options()) : cutDomains(own, query);
    return { domains: page.domains, nextCursor: sealedCursor(found, purpose, page.nextCursor) };
  });

  app.get(at(OPERATIONS.listMailboxes.path), async (request): Promise<MailboxesResponse> => {
    const found = await caller(request);
    const { domain, search = '', cursor } = validated(listMailboxesSchema, request.query);
    await found.scope.domain(domain);
    await found.scope.search(search);
    const purpose = `mailboxes ${domain} ${search}`;
    const page = await accounts.listMailboxes({ domain, search, cursor: await openedCursor(found, purpose, cursor), limit: MAILBOXES_PAGE }, options());
    return { mailboxes: page.mailboxes.map(toRow), nextCursor: sealedCursor(found, purpose, page.nextCursor) };
  });

  app.post(at(OPERATIONS.countSessions.path), async (request): Promise<SessionCountsResponse> => {
    const { scope } = await caller(request);
    const { addresses } = validated(countSessionsSchema, request.body);
    for (const address of addresses) await scope.mailbox(address);
    const counts: Record<string, number | null> = {};
    const left = [...addresses];
    const work = async (): Promise<void> => {
      for (let address = left.shift(); address !== undefined; address = left.shift()) {
        const { sessions, unavailable } = await listSessions(address, [...stores, panels.sessions.store], config.timeouts.sessionsMs);
        counts[address] = unavailable.length > 0 ? null : sessions.length;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return { counts };
  });

  app.get(at(OPERATIONS.getMailbox.path), async (request): Promise<MailboxResponse> => {
    const found = await reachable(request, request.query);
    const { address } = validated(mailboxSchema, request.query);
    const mailbox = await account(address, found.scope);
    return {
      ...toRow(mailbox), changeRequired: accounts.abilities.requireChange === true ? (mailbox.changeRequired ?? null) : null,
      passwordVersion: versionFor(found, await passwordVersionOf(mailbox.address, dependencies, options())),
    };
  });

  /** What a new password is judged with, of a body that nobody has looked at yet. */
  async function toJudge({ body }: FastifyRequest, administrator: string): Promise<{ readonly named: string; readonly resources: PolicyResources }> {
    const { address, newPassword } = (body ?? {}) as { address?: unknown; newPassword?: unknown };
    return { named: typeof address === 'string' ? address : '', resources: await policyResources(policy, newPassword, `administrator ${administrator}`) };
  }

  app.post(at(OPERATIONS.setPassword.path), async (request) => {
    const found = await reachable(request, request.body);
    if (config.readOnly) throw new ModuleError('READ_ONLY');
    const { named, resources } = await toJudge(request, found.administrator.name);
    const { address, newPassword, passwordVersion, requireChange = false } = validated(setPasswordSchema(policy, named, resources), request.body);
    const mailbox = await account(address, found.scope);
    return setMailboxPassword({
      administrator: found.administrator.name, address: mailbox.address, newPassword, requireChange, ...requester(request, 'admin'), isExpected: (now) => versionFor(found, now) === passwordVersion,
    }, dependencies);
  });

  app.post(at(OPERATIONS.checkPassword.path), async (request): Promise<CheckPasswordResponse> => {
    const { administrator, scope } = await reachable(request, request.body);
    const { named, resources } = await toJudge(request, administrator.name);
    const { address, newPassword } = validated(checkPasswordToSetSchema(policy, named, resources), request.body);
    await account(address, scope);
    return checkPasswordToSet({ administrator: administrator.name, address, newPassword }, dependencies);
  });

  app.post(at(OPERATIONS.requireChange.path), async (request) => {
    const { scope, administrator } = await reachable(request, request.body);
    if (config.readOnly) throw new ModuleError('READ_ONLY');
    const { address, required } = validated(requireChangeSchema, request.body);
    const mailbox = await account(address, scope);
    await requireNewPassword({ audit: { actor: administrator.name, actorKind: 'administrator' }, requester: requester(request, 'admin'), address: mailbox.address, required }, dependencies);
    return {};
  });

  app.post(at(OPERATIONS.endSessions.path), async (request) => {
    const { scope, administrator } = await reachable(request, request.body);
    const { address } = validated(mailboxSchema, request.body);
    const mailbox = await account(address, scope);
    return revokeEverything({ audit: { actor: administrator.name, actorKind: 'administrator' }, requester: requester(request, 'admin'), address: mailbox.address }, dependencies);
  });

  async function historyQuery(request: FastifyRequest) {
    const found = await caller(request);
    const { cursor, ...query } = validated(historySchema, request.query);
    await found.scope.search(query.mailbox);
    const millis = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
    const { mailbox, administrator, outcome, from, to } = query;
    return {
      found, cursor, purpose: `history ${JSON.stringify([mailbox, administrator, outcome, from, to])}`,
      filter: { domains: found.administrator.domains, address: mailbox, actor: administrator, outcome, from: millis(from), to: millis(to) },
    };
  }

  app.get(at(OPERATIONS.listHistory.path), async (request): Promise<HistoryResponse> => {
    const { found, cursor, purpose, filter } = await historyQuery(request);
    const page = await audit.read({ ...filter, cursor: await openedCursor(found, purpose, cursor), limit: HISTORY_PAGE });
    return { events: page.events, nextCursor: sealedCursor(found, purpose, page.nextCursor) };
  });

  app.get(at(OPERATIONS.exportHistory.path), async (request: FastifyRequest, reply: FastifyReply) => {
    const { filter } = await historyQuery(request);
    const lines = historyCsv(audit, filter);
    // The first page is read before the answer begins: what cannot be read is an error with a code, not a file that breaks off.
    const first = await lines.next();
    return reply.type('text/csv; charset=utf-8').header('Content-Disposition', 'attachment; filename="history.csv"').send(Readable.from((async function* rest() {
      yield first.value ?? '';
      yield* lines;
    })()));
  });
}
