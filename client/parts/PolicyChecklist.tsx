import type { PasswordPolicy, PolicyContext } from '../../module/policy/passwordPolicy.ts';
import type { PolicyResources, PolicyRule, RuleVerdict } from '../../module/policy/rules/rule.ts';
import { rulesFor } from '../../module/policy/rulesFor.ts';
import { useTranslator } from '../i18n/context.ts';
import { Icon } from './icons.tsx';

interface PolicyChecklistProps {
  readonly id: string;
  readonly policy: PasswordPolicy;
  readonly password: string;
  readonly context: PolicyContext;
  readonly resources: PolicyResources;
  /** It was just refused: what is not met is marked. */
  readonly refused?: boolean;
}

/** Every rule of the policy, ticked while one types; what only the server can tell stays open until it has judged. The rules are those of the server (I5). */
export function PolicyChecklist({ id, policy, password, context, resources, refused = false }: PolicyChecklistProps) {
  const { t, code } = useTranslator();
  const rules = rulesFor(policy).map((rule) => ({ rule, state: password === '' ? 'pending' as const : rule.check(password, context, resources) }));
  const said = ({ code: name, params, onSave }: PolicyRule, state: RuleVerdict): string => {
    const text = code('violation', name, params);
    if (onSave !== true || state !== 'pending') return text;
    const outcome = resources.serverVerdict?.(password, name);
    return t(outcome === 'unknown' ? 'checklist.unknown' : outcome === 'unavailable' ? 'checklist.unavailable' : 'checklist.onSave', { rule: text });
  };
  return (
    <ul id={id} className="checklist">
      {rules.filter(({ rule, state }) => rule.listed || state === 'violated').map(({ rule, state }) => (
        <li key={rule.code} id={`${id}-${rule.code}`} data-state={state} data-broken={(state === 'violated' && (refused || rule.onSave === true)) || undefined}>
          <span className="tick">{state === 'met' ? <Icon name="met" /> : (refused || rule.onSave === true) && state === 'violated' ? <Icon name="broken" /> : '•'}</span>
          {said(rule, state)}
        </li>
      ))}
    </ul>
  );
}
