import axios, { type AxiosInstance } from 'axios';
import { OPERATIONS, type OperationName, type Operations } from '../../module/operations.ts';
import type { HostBridge } from '../host/hostBridge.ts';
import { wishes } from '../i18n/wishes.ts';
import { ApiError, toApiError } from './apiError.ts';
import { throughRestart } from './throughRestart.ts';

const TIMEOUT_MS = 45_000;

export type Api = ReturnType<typeof createApi>;

/** The only code that does HTTP. Every answer that is not 2xx rejects with an {@link ApiError}. */
export function createSend(bridge: Pick<HostBridge, 'baseUrl' | 'csrfToken'> & { readonly locale?: string }, http: AxiosInstance = axios.create()) {
  async function sendOnce<T>(method: 'GET' | 'POST', path: string, data: unknown, signal: AbortSignal | undefined): Promise<T> {
    if (!navigator.onLine) throw new ApiError('OFFLINE');
    const csrf = method === 'GET' ? undefined : bridge.csrfToken();
    try {
      const answer = await http.request<T>({
        url: bridge.baseUrl + path, method, timeout: TIMEOUT_MS,
        ...(data !== undefined && { data }), ...(signal !== undefined && { signal }),
        // The language of the page, which need not be the browser's: that of the notice by e-mail.
        headers: { ...(csrf !== undefined && { 'X-CSRF-Token': csrf }), ...(method !== 'GET' && bridge.locale !== undefined && { 'Accept-Language': bridge.locale }) },
      });
      return answer.data;
    } catch (error) {
      throw toApiError(error);
    }
  }
  return <T>(method: 'GET' | 'POST', path: string, data: unknown, signal: AbortSignal | undefined): Promise<T> => throughRestart(() => sendOnce<T>(method, path, data, signal), signal);
}

export function createApi(bridge: HostBridge, http?: AxiosInstance) {
  const send = createSend(bridge, http);
  const call = <Name extends OperationName>(name: Name, data: Operations[Name]['request'], signal?: AbortSignal) =>
    send<Operations[Name]['response']>(OPERATIONS[name].method, OPERATIONS[name].path, data, signal);
  return {
    getContext: (signal?: AbortSignal) => call('getContext', undefined, signal),
    changeOwnPassword: (request: Operations['changeOwnPassword']['request']) => call('changeOwnPassword', request),
    checkPassword: (request: Operations['checkPassword']['request']) => call('checkPassword', request),
    getMessages: (signal?: AbortSignal) => send<Record<string, string>>('GET', `/locales/section/${wishes(bridge.locale)}.short.json`, undefined, signal),
  };
}
