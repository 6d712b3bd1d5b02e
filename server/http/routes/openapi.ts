import { convertSchema } from '@sodaru/yup-to-json-schema';
import type { FastifyInstance } from 'fastify';
import { ERRORS } from '../../../module/errors.ts';
import { OPERATIONS } from '../../../module/operations.ts';
import { ADMIN_PANEL_OPERATIONS, USER_PANEL_OPERATIONS } from '../../../module/panelOperations.ts';
import { changeOwnPasswordSchema } from '../../../module/requests/changeOwnPassword.ts';
import {
  adminLogInSchema, checkPasswordToSetSchema, countSessionsSchema, emptySchema, endDeviceSchema, endDevicesSchema, historySchema, listDomainsSchema, listMailboxesSchema, mailboxSchema, requireChangeSchema, setPasswordSchema, userLogInSchema,
} from '../../../module/requests/panelRequests.ts';
import { passwordRules } from '../../../module/policy/passwordRules.ts';
import type { Wiring } from '../../wiring.ts';

const counts = { type: 'object', additionalProperties: { type: 'integer', minimum: 0 }, description: 'Sessions ended, by channel' };

type Schemas = Readonly<Record<string, Parameters<typeof convertSchema>[0]>>;

/** The paths of one panel: what is sent, by the schema that judges it. */
function panelPaths(tag: string, operations: Readonly<Record<string, { readonly method: string; readonly path: string }>>, schemas: Schemas, refusals: object) {
  return Object.fromEntries(Object.entries(operations).map(([name, { method, path }]) => {
    const schema = schemas[name];
    const { properties = {}, required = [] } = (schema === undefined ? {} : convertSchema(schema)) as { properties?: Record<string, object>; required?: string[] };
    const hidden = Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, /password$/i.test(key) ? { type: 'string', format: 'password' } : value]));
    const csrf = { name: 'X-CSRF-Token', in: 'header', required: true, schema: { type: 'string' } };
    const parameters = method === 'GET'
      ? Object.entries(properties).map(([key, value]) => ({ name: key, in: 'query', required: required.includes(key), schema: value }))
      : name === 'logIn' ? [] : [csrf];
    const sent = method === 'GET' ? {} : { requestBody: { required: true, content: { 'application/json': { schema: { type: 'object', properties: hidden, required, additionalProperties: false } } } } };
    const media = path.endsWith('.csv') ? 'text/csv' : 'application/json';
    return [path, { [method.toLowerCase()]: {
      operationId: `${tag}.${name}`, tags: [tag], parameters, ...sent, responses: { 200: { description: 'As in module/panelOperations.ts', content: { [media]: {} } }, ...refusals },
    } }];
  }));
}

/** The wire contract as OpenAPI 3.1, made from the same registry, operations and schemas that the service runs. */
function openapiDocument({ policy, config }: Pick<Wiring, 'policy' | 'config'>) {
  const request = convertSchema(changeOwnPasswordSchema(policy, 'user@example.com', undefined, {}));
  const password = (description: string) => ({ type: 'string', format: 'password', description });
  const problem = { description: 'Refused', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
  const statuses = [...new Set(Object.values(ERRORS).map(({ status }) => String(status)))].sort();
  const refusals = Object.fromEntries(statuses.map((status) => [status, problem]));
  const ok = (description: string, name: string) => ({ 200: { description, content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } } });
  const ownPassword = (operationId: string, answer: object) => ({ post: {
    operationId,
    parameters: [{ name: 'X-CSRF-Token', in: 'header', required: true, schema: { type: 'string' } }],
    requestBody: { required: true, content: { 'application/json': { schema: {
      ...request,
      properties: { currentPassword: password('As it is now'), newPassword: password(`Unicode, NFC. ${passwordRules(policy)}`) },
      additionalProperties: false,
    } } } },
    responses: { ...answer, ...refusals },
  } });
  return {
    openapi: '3.1.0',
    info: { title: 'Mailbox Password', version: '1', description: 'Who is calling is told by the host\'s own session cookie; requests that change something carry its CSRF token.' },
    servers: [{ url: config.server.basePath }],
    paths: {
      [OPERATIONS.getContext.path]: { get: { operationId: 'getContext', responses: { ...ok('Whose mailbox, which policy', 'Context'), ...refusals } } },
      [OPERATIONS.changeOwnPassword.path]: ownPassword('changeOwnPassword', ok('The password is changed; what could not be ended yet is pending', 'Changed')),
      [OPERATIONS.checkPassword.path]: ownPassword('checkPassword', ok('What the rules that only the server can judge say of the new password; nothing is changed', 'Checked')),
      ...panelPaths('userPanel', USER_PANEL_OPERATIONS, { logIn: userLogInSchema, logOut: emptySchema, changePassword: changeOwnPasswordSchema(policy, 'user@example.com', undefined, {}), checkPassword: changeOwnPasswordSchema(policy, 'user@example.com', undefined, {}), endDevice: endDeviceSchema, endDevices: endDevicesSchema }, refusals),
      ...panelPaths('adminPanel', ADMIN_PANEL_OPERATIONS, {
        logIn: adminLogInSchema, logInByHost: emptySchema, logOut: emptySchema, requireChange: requireChangeSchema, listDomains: listDomainsSchema, listMailboxes: listMailboxesSchema, countSessions: countSessionsSchema, getMailbox: mailboxSchema,
        setPassword: setPasswordSchema(policy, 'user@example.com', {}), checkPassword: checkPasswordToSetSchema(policy, 'user@example.com', {}), endSessions: mailboxSchema, listHistory: historySchema, exportHistory: historySchema,
      }, refusals),
    },
    components: { schemas: {
      Context: { type: 'object', required: ['account', 'policy', 'channels', 'writable'], properties: {
        account: { type: 'object', properties: { address: { type: 'string' } } }, policy: { type: 'object' }, channels: { type: 'array', items: { type: 'string' } }, writable: { type: 'boolean' },
      } },
      Changed: { type: 'object', required: ['changedAt', 'revocation', 'ended', 'pending'], properties: {
        changedAt: { type: 'string', format: 'date-time' }, revocation: { enum: ['done', 'pending'] }, ended: counts, pending: { type: 'array', items: { type: 'string' } },
      } },
      Checked: { type: 'object', required: ['rules'], properties: { rules: { type: 'array', items: { type: 'object', required: ['code', 'outcome'], properties: {
        code: { type: 'string' }, outcome: { enum: ['met', 'violated', 'unknown', 'unavailable'] },
      } } } } },
      Problem: { type: 'object', required: ['type', 'title', 'status', 'code', 'changed', 'retryable'], properties: {
        type: { type: 'string' }, title: { type: 'string' }, status: { type: 'integer' }, code: { enum: Object.keys(ERRORS) }, changed: { enum: ['no', 'unknown'] },
        retryable: { type: 'boolean' }, params: { type: 'object' }, requestId: { type: 'string' },
        fields: { type: 'array', items: { type: 'object', properties: { field: { type: 'string' }, code: { type: 'string' }, params: { type: 'object' } } } },
      } },
    } },
  };
}

export function openapiRoute(app: FastifyInstance, wiring: Wiring): void {
  const document = openapiDocument(wiring);
  app.get('/openapi.json', () => document);
}
