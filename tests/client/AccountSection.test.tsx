import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import en from '../../locales/en.json';
import { ApiError } from '../../client/api/apiError.ts';
import type { Api } from '../../client/api/methods.ts';
import { AccountSection } from '../../client/surfaces/AccountSection.tsx';
import { POLICY_PRESETS } from '../../module/policy/passwordPolicy.ts';

function show(error: ApiError, context?: object) {
  const onNotServed = jest.fn();
  const onSignedOut = jest.fn();
  const api = {
    getContext: () => (context === undefined ? Promise.reject(error) : Promise.resolve(context)), getMessages: () => Promise.resolve(en),
    changeOwnPassword: () => Promise.reject(error),
  } as unknown as Api;
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <AccountSection api={api} bridge={{ baseUrl: '', csrfToken: () => undefined, locale: 'en', onSignedOut, onNotServed }} />
    </QueryClientProvider>,
  );
  return { onNotServed, onSignedOut };
}

test('somebody whose password is none of ours is told so, and the host may hide the section', async () => {
  const { onNotServed } = show(new ApiError('ACCOUNT_NOT_CHANGEABLE'));
  expect(await screen.findByText(en['error.ACCOUNT_NOT_CHANGEABLE'])).toBeDefined();
  expect(screen.queryByRole('button')).toBeNull();
  expect(onNotServed).toHaveBeenCalledTimes(1);
});

test('a failure can be tried again and hides nothing', async () => {
  const { onNotServed } = show(new ApiError('HOST_UNAVAILABLE'));
  expect(await screen.findByRole('button', { name: en['section.retry'] })).toBeDefined();
  expect(onNotServed).not.toHaveBeenCalled();
});

test('somebody whose session ended before the change was sent reads that nothing was changed, and goes to the log-in page when they have', async () => {
  const { onSignedOut } = show(new ApiError('AUTHENTICATION_REQUIRED'), { account: { address: 'alice@example.test' }, policy: { ...POLICY_PRESETS.default, forbidCommon: false }, channels: ['web'], writable: true });
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText(en['field.current']), 'Old-pass-1');
  await user.type(screen.getByLabelText(en['field.new']), 'Spring-rain-42');
  await user.type(screen.getByLabelText(en['field.confirm']), 'Spring-rain-42{Enter}');
  expect(await screen.findByRole('alert')).toHaveTextContent(en['error.AUTHENTICATION_REQUIRED']);
  expect(screen.queryByRole('textbox')).toBeNull();
  expect(onSignedOut).not.toHaveBeenCalled();
  await user.click(screen.getByRole('button', { name: en['action.logInAgain'] }));
  expect(onSignedOut).toHaveBeenCalledWith('ended');
});
