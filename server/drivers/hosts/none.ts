import { object } from 'yup';
import type { HostIdentity } from '../../ports/hostIdentity.ts';
import { defineHostDriver } from '../defineDriver.ts';

/** No webmail: nobody calls from one, and people log in to the panels. */
export default defineHostDriver({
  name: 'none',
  summary: 'No webmail: the User Panel and the Admin Panel alone.',
  options: object({}).noUnknown(),
  create: (): Promise<HostIdentity> => Promise.resolve({
    authenticate: () => Promise.resolve(null),
    clearedCookies: () => [],
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }),
});
