import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen } from '@testing-library/react';
import en from '../../locales/en.json';
import { ApiError } from '../../client/api/apiError.ts';
import type { Api } from '../../client/api/methods.ts';
import { AccountSection } from '../../client/surfaces/AccountSection.tsx';

function show(error: ApiError) {
  const onNotServed = jest.fn();
  const onSignedOut = jest.fn();
  const api = { getContext: () => Promise.reject(error), getMessages: () => Promise.resolve(en) } as unknown as Api;
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
