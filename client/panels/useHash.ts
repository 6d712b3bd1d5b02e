import { useEffect, useState } from 'react';

/** Which page of the panel is shown, in the address after `#`: Back and reload work, and it names nothing private. */
export function useHash<Name extends string>(names: readonly Name[], first: Name): [Name, (name: Name) => void] {
  const read = (): Name => names.find((name) => `#${name}` === location.hash) ?? first;
  const [name, setName] = useState(read);
  useEffect(() => {
    const changed = (): void => { setName(read()); };
    addEventListener('hashchange', changed);
    return () => { removeEventListener('hashchange', changed); };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the names are constants
  }, []);
  return [name, (next) => { location.hash = next; }];
}
