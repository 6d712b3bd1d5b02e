import { useEffect, useRef } from 'react';
import type { ServerCheck } from './serverCheck.ts';

/** The question to the server, where there is one to ask; null where not, or where it cannot be loaded: then it is judged with the change alone. */
export function useServerCheck<Request>(wanted: boolean) {
  const loaded = useRef<Promise<ServerCheck<Request> | null>>(Promise.resolve(null));
  useEffect(() => {
    if (!wanted) return undefined;
    const loading = import(/* webpackChunkName: "server-check" */ './serverCheck.ts').then(({ createServerCheck }) => createServerCheck<Request>(), () => null);
    loaded.current = loading;
    return () => { void loading.then((check) => check?.forget()); };
  }, [wanted]);
  return loaded;
}
