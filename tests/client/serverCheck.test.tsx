import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { webcrypto } from 'node:crypto';
import en from '../../locales/en.json';
import { ApiError } from '../../client/api/apiError.ts';
import { TranslatorContext } from '../../client/i18n/context.ts';
import { createTranslator } from '../../client/i18n/translator.ts';
import { ChangePasswordForm } from '../../client/parts/ChangePasswordForm.tsx';
import type { ChangeOwnPasswordRequest, ChangePasswordResponse, CheckPasswordResponse } from '../../module/operations.ts';
import { POLICY_PRESETS } from '../../module/policy/passwordPolicy.ts';
import type { RuleOutcome } from '../../module/policy/rules/rule.ts';

Object.defineProperty(globalThis, 'crypto', { value: webcrypto, configurable: true });

const CURRENT = 'Wonder-land-7';
const NEXT = 'Fresh!Harvest42';
const BREACHED = 'Not a password known from a data leak';
const HISTORY = 'Not one of your last 5 passwords';
const done: ChangePasswordResponse = { changedAt: '2026-01-01T00:00:00Z', revocation: 'done', ended: { web: 1 }, pending: [] };
const answer = (PASSWORD_BREACHED: RuleOutcome, PASSWORD_IN_HISTORY: RuleOutcome): CheckPasswordResponse =>
  ({ rules: [{ code: 'PASSWORD_BREACHED', outcome: PASSWORD_BREACHED }, { code: 'PASSWORD_IN_HISTORY', outcome: PASSWORD_IN_HISTORY }] });

function show(check: (request: ChangeOwnPasswordRequest) => Promise<CheckPasswordResponse>, { rules = true, send = () => Promise.resolve(done) } = {}) {
  const order: string[] = [];
  const api = {
    checkPassword: jest.fn(async (request: ChangeOwnPasswordRequest) => {
      order.push('check begins');
      return check(request).finally(() => { order.push('check ends'); });
    }),
    changeOwnPassword: jest.fn(async () => { order.push('change'); return send(); }),
  };
  const serverRules = rules ? [{ code: 'PASSWORD_BREACHED', params: {} }, { code: 'PASSWORD_IN_HISTORY', params: { count: 5 } }] as const : [];
  const onChanged = jest.fn();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <TranslatorContext value={createTranslator(en)}>
        <ChangePasswordForm api={api} onChanged={onChanged} onSignedOut={jest.fn()}
          context={{ account: { address: 'alice@example.test' }, policy: { ...POLICY_PRESETS.default, forbidCommon: false, serverRules }, channels: ['web'], writable: true }} />
      </TranslatorContext>
    </QueryClientProvider>,
  );
  return { api, order, onChanged, user: userEvent.setup() };
}

const field = (name: string) => screen.getByLabelText<HTMLInputElement>(name);
const line = (text: string) => screen.getAllByRole('listitem').find((item) => item.textContent.includes(text));
const pause = (ms: number) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function type(user: ReturnType<typeof userEvent.setup>, next = NEXT) {
  await user.type(field('Current password'), CURRENT);
  await user.type(field('Password'), next);
  await user.tab();
}

test('green where the server says yes: asked once, when the field is left, and not at every key', async () => {
  const { api, user } = show(() => Promise.resolve(answer('met', 'met')));
  await user.type(field('Current password'), CURRENT);
  await user.type(field('Password'), NEXT);
  await pause(600);
  expect(api.checkPassword).not.toHaveBeenCalled();
  expect(line(BREACHED)).toHaveTextContent('checked when you save');
  await user.tab();
  await waitFor(() => { expect(line(BREACHED)).toHaveAttribute('data-state', 'met'); });
  expect(line(HISTORY)).toHaveAttribute('data-state', 'met');
  expect(line(BREACHED)?.querySelector('svg')).not.toBeNull();
  expect(line(BREACHED)).not.toHaveTextContent('checked');
  await user.click(field('Confirm password'));
  await user.click(field('Password'));
  await pause(600);
  expect(api.checkPassword.mock.calls).toEqual([[{ currentPassword: CURRENT, newPassword: NEXT }]]);
  await user.type(field('Password'), 'x');
  expect(line(BREACHED)).toHaveAttribute('data-state', 'pending');
});

test('red where it says no: at the field too, read out, and what is typed meanwhile keeps the focus', async () => {
  const { user } = show(() => Promise.resolve(answer('met', 'violated')));
  await type(user);
  const here = document.activeElement;
  await waitFor(() => { expect(line(HISTORY)).toHaveAttribute('data-state', 'violated'); });
  expect(field('Password')).toHaveAccessibleDescription(new RegExp(HISTORY));
  expect(field('Password').closest('.field')?.querySelector('[aria-live=polite]')).toHaveTextContent('does not meet every rule');
  expect(document.activeElement).toBe(here);
  expect(line(BREACHED)).toHaveAttribute('data-state', 'met');
});

test.each([
  ['unknown', 'could not be checked; accepted'], ['unavailable', 'cannot be checked now; try again later'],
] as const)('%s: neither green nor red, and it says so', async (outcome, words) => {
  const { api, user } = show(() => Promise.resolve(answer(outcome, 'met')));
  await type(user);
  await waitFor(() => { expect(line(BREACHED)).toHaveTextContent(words); });
  expect(line(BREACHED)).toHaveAttribute('data-state', 'pending');
  // The next time it may be able to.
  await user.click(field('Password'));
  await user.tab();
  await waitFor(() => { expect(api.checkPassword).toHaveBeenCalledTimes(2); });
});

test('a wrong current password is said at once, and asked about once', async () => {
  const { api, user } = show(() => Promise.reject(new ApiError('CURRENT_PASSWORD_WRONG', {}, [{ field: 'currentPassword', code: 'CURRENT_PASSWORD_WRONG' }])));
  await type(user);
  await waitFor(() => { expect(field('Current password')).toBeInvalid(); });
  expect(line(BREACHED)).toHaveAttribute('data-state', 'pending');
  await user.click(field('Password'));
  await user.tab();
  await pause(600);
  expect(api.checkPassword).toHaveBeenCalledTimes(1);
});

test.each([
  ['a rule of the page is broken', async (user: ReturnType<typeof userEvent.setup>) => { await type(user, 'short'); }],
  ['the current password is missing', async (user: ReturnType<typeof userEvent.setup>) => { await user.type(field('Password'), NEXT); await user.tab(); }],
])('nothing is asked while %s', async (_name, act) => {
  const { api, user } = show(() => Promise.resolve(answer('met', 'met')));
  await act(user);
  await pause(600);
  expect(api.checkPassword).not.toHaveBeenCalled();
});

test('without such rules nothing is asked; with any other failure the page stays as it is', async () => {
  const none = show(() => Promise.resolve(answer('met', 'met')), { rules: false });
  await type(none.user);
  await pause(600);
  expect(none.api.checkPassword).not.toHaveBeenCalled();
});

test('the button goes first: no check begins after the change, and one under way ends before it', async () => {
  const { order, user, onChanged } = show(async () => { await pause(300); return answer('met', 'met'); });
  await type(user);
  await user.type(field('Confirm password'), NEXT);
  await waitFor(() => { expect(order).toContain('check begins'); });
  await user.click(screen.getByRole('button', { name: /^Update password/ }));
  await waitFor(() => { expect(onChanged).toHaveBeenCalled(); });
  await pause(600);
  expect(order).toEqual(['check begins', 'check ends', 'change']);
});

test('whoever goes from the field to the button at once sends the change alone', async () => {
  const { api, order, user, onChanged } = show(() => Promise.resolve(answer('met', 'met')));
  await user.type(field('Current password'), CURRENT);
  await user.click(field('Confirm password'));
  await user.paste(NEXT);
  await user.click(field('Password'));
  await user.paste(NEXT);
  await user.click(screen.getByRole('button', { name: /^Update password/ }));
  await waitFor(() => { expect(onChanged).toHaveBeenCalled(); });
  await pause(600);
  expect([order, api.checkPassword.mock.calls]).toEqual([['change'], []]);
});
