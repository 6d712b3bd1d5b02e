import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { webcrypto } from 'node:crypto';
import en from '../../locales/en.json';
import { ApiError } from '../../client/api/apiError.ts';
import type { Api } from '../../client/api/methods.ts';
import { TranslatorContext } from '../../client/i18n/context.ts';
import { createTranslator } from '../../client/i18n/translator.ts';
import { ChangePasswordForm } from '../../client/parts/ChangePasswordForm.tsx';
import { POLICY_PRESETS } from '../../module/policy/passwordPolicy.ts';

Object.defineProperty(globalThis, 'crypto', { value: webcrypto, configurable: true });

const BUTTON = 'Update password and log me out from everywhere';

function show(send: Api['changeOwnPassword']) {
  const onChanged = jest.fn();
  const onSignedOut = jest.fn();
  const api = { changeOwnPassword: jest.fn(send), checkPassword: jest.fn(() => Promise.reject(new Error('not to be called'))), getContext: jest.fn(), getMessages: jest.fn() };
  render(
    <QueryClientProvider client={new QueryClient()}>
      <TranslatorContext value={createTranslator(en)}>
        <ChangePasswordForm api={api} onChanged={onChanged} onSignedOut={onSignedOut}
          context={{ account: { address: 'alice@example.test' }, policy: { ...POLICY_PRESETS.default, forbidCommon: false }, channels: ['web'], writable: true }} />
      </TranslatorContext>
    </QueryClientProvider>,
  );
  return { api, onChanged, onSignedOut, user: userEvent.setup() };
}

const field = (name: string) => screen.getByLabelText<HTMLInputElement>(name);

async function fill(user: ReturnType<typeof userEvent.setup>, password = 'Fresh!Harvest42', confirm = password) {
  await user.type(field('Current password'), 'Wonder-land-7');
  await user.type(field('Password'), password);
  await user.type(field('Confirm password'), confirm);
  await user.click(screen.getByRole('button', { name: BUTTON }));
}

test('sends the two passwords and hands the answer on', async () => {
  const answer = { changedAt: '2026-01-01T00:00:00Z', revocation: 'done' as const, ended: { web: 1 }, pending: [] };
  const { api, onChanged, user } = show(() => Promise.resolve(answer));
  await fill(user);
  await waitFor(() => { expect(onChanged).toHaveBeenCalledWith(answer); });
  expect(api.changeOwnPassword).toHaveBeenCalledWith({ currentPassword: 'Wonder-land-7', newPassword: 'Fresh!Harvest42' });
  expect(field('Password').value).toBe('');
});

test('sends nothing while a rule is broken or the two differ, and says which at the field', async () => {
  const { api, user } = show(() => Promise.reject(new Error('not to be called')));
  await fill(user, 'abc', 'abd');
  expect(field('Password')).toHaveAccessibleDescription(/^The new password does not meet every rule\. Nothing was changed\. .*At least 8 characters/);
  // What is met is not read out then.
  expect(field('Password')).not.toHaveAccessibleDescription(/A lower-case letter/);
  expect(field('Confirm password')).toHaveAccessibleDescription('The two passwords are not the same.');
  await waitFor(() => { expect(field('Password')).toHaveFocus(); });
  expect(api.changeOwnPassword).not.toHaveBeenCalled();
});

test('the refresh arrow fills both fields with an accepted password, shows it and offers Copy', async () => {
  const { user } = show(() => Promise.reject(new Error('not to be called')));
  await user.click(screen.getByRole('button', { name: 'Generate password' }));
  expect(field('Password').value).toHaveLength(16);
  expect(field('Confirm password').value).toBe(field('Password').value);
  expect(field('Password').type).toBe('text');
  expect(screen.getByRole('button', { name: 'Copy' })).toBeVisible();
});

test.each([
  [new ApiError('CURRENT_PASSWORD_WRONG', {}, [{ field: 'currentPassword', code: 'CURRENT_PASSWORD_WRONG' }]), 'This is not your current password. Nothing was changed.'],
  [new ApiError('OFFLINE'), 'You are offline. Nothing was changed.'],
  [new ApiError('UNCONFIRMED'), 'We could not confirm whether the password was changed.'],
  [new ApiError('RATE_LIMITED', { retryAfterSeconds: 30 }), 'Try again in 30 seconds.'],
  [new ApiError('ACCOUNTS_UNAVAILABLE'), 'The mail server does not answer.'],
])('%s is said in words', async (error, words) => {
  const { user, onChanged } = show(() => Promise.reject(error));
  await fill(user);
  expect(await screen.findByText((text) => text.includes(words))).toBeVisible();
  expect(onChanged).not.toHaveBeenCalled();
});

test('a session that is gone leads to the log-in page', async () => {
  const { user, onSignedOut } = show(() => Promise.reject(new ApiError('AUTHENTICATION_REQUIRED')));
  await fill(user);
  await waitFor(() => { expect(onSignedOut).toHaveBeenCalled(); });
});
