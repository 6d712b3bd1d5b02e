import { useEffect, useState } from 'react';
import type { PolicyResources } from '../../module/policy/rules/rule.ts';

/** The list of common passwords, fetched when typing starts. Where it does not come, the server still judges. */
export function useCommonPasswords(wanted: boolean): PolicyResources {
  const [resources, setResources] = useState<PolicyResources>({});
  useEffect(() => {
    if (!wanted) return undefined;
    let left = false;
    import(/* webpackChunkName: "common-passwords" */ '../../module/policy/commonPasswords.ts').then(
      ({ isCommon }) => { if (!left) setResources({ isCommon }); },
      () => undefined,
    );
    return () => { left = true; };
  }, [wanted]);
  return resources;
}
