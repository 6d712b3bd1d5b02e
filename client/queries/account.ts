import { mutationOptions, queryOptions } from '@tanstack/react-query';
import type { Api } from '../api/methods.ts';

export const contextQuery = (api: Api) =>
  queryOptions({ queryKey: ['context'], queryFn: ({ signal }) => api.getContext(signal), staleTime: Infinity, retry: false });

export const messagesQuery = (api: Api) =>
  queryOptions({ queryKey: ['messages'], queryFn: ({ signal }) => api.getMessages(signal), staleTime: Infinity, retry: false });

/** No key, no retry, and nothing of it stays in the cache: its variables are passwords. */
export const sendingPasswords = <Request, Answer>(send: (request: Request) => Promise<Answer>) =>
  mutationOptions({ mutationFn: (request: Request) => send(request), retry: false, gcTime: 0, networkMode: 'always' });
