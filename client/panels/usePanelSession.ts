import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/apiError.ts';
import { useOnReturn } from '../parts/useOnReturn.ts';

interface SessionApi<Session> {
  getSession(signal?: AbortSignal): Promise<Session>;
  logOut(): Promise<object>;
}

type State<Session> = { readonly at: 'asking' } | { readonly at: 'failed' } | { readonly at: 'out' } | { readonly at: 'in'; readonly session: Session };

/**
 * Whether somebody is logged in to this panel. Leaving drops everything that was loaded. Whoever comes back to the page is shown what is
 * true by then: maintenance, or the end of the log-in (`onEnded`). `pageWritable`: what the page itself says of maintenance.
 */
export function usePanelSession<Session extends { readonly csrfToken: string; readonly writable: boolean }>(api: SessionApi<Session>, setCsrfToken: (token: string | undefined) => void, pageWritable: boolean, onEnded: () => void) {
  const client = useQueryClient();
  const [state, setState] = useState<State<Session>>({ at: 'asking' });
  const latest = useRef(state);
  useEffect(() => { latest.current = state; });

  const enter = useCallback((session: Session): void => {
    setCsrfToken(session.csrfToken);
    setState({ at: 'in', session });
  }, [setCsrfToken]);

  const leave = useCallback((): void => {
    setCsrfToken(undefined);
    client.clear();
    setState({ at: 'out' });
  }, [client, setCsrfToken]);

  const ask = useCallback((signal?: AbortSignal): void => {
    api.getSession(signal).then(enter, (error: unknown) => {
      if (signal?.aborted === true) return;
      if (error instanceof ApiError && error.code === 'AUTHENTICATION_REQUIRED') leave();
      else setState((before) => (before.at === 'in' ? before : { at: 'failed' }));
    });
  }, [api, enter, leave]);

  const askAgain = (): void => {
    // What is under way may be ending this very session, and has the word.
    if (state.at !== 'in' || client.isMutating() > 0) return;
    const { csrfToken } = state.session;
    const isSame = (now: State<Session>): boolean => now.at === 'in' && now.session.csrfToken === csrfToken && client.isMutating() === 0;
    api.getSession().then(
      (session) => { setState((now) => (isSame(now) && session.csrfToken === csrfToken ? { at: 'in', session } : now)); },
      (error: unknown) => {
        if (!(error instanceof ApiError) || error.code !== 'AUTHENTICATION_REQUIRED' || !isSame(latest.current)) return;
        onEnded();
        leave();
      },
    );
  };
  useOnReturn(askAgain);
  // Maintenance began or ended while the page lay open.
  useEffect(() => {
    if (state.at === 'in' && state.session.writable !== pageWritable) askAgain();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- when the page tells something else, not whenever the two differ
  }, [pageWritable]);

  useEffect(() => {
    const abort = new AbortController();
    ask(abort.signal);
    return () => { abort.abort(); };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, at the start
  }, []);

  return {
    state, enter, leave, ask,
    logOut: async (): Promise<void> => {
      // Also where the server cannot be reached nothing stays on the screen; the session then ends by its idle limit.
      await api.logOut().catch(() => undefined);
      leave();
    },
  };
}
