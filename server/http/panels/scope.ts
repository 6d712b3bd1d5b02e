import type { FastifyRequest } from 'fastify';
import { ModuleError } from '../../../module/errors.ts';
import { type Administrator, domainOf, mayReach } from '../../panels/administrators.ts';
import type { PanelGuard } from './panelGuard.ts';

/** Holds one administrator to the configured domains. Whatever reaches outside is refused and stands in the audit log. */
export function scopeOf(administrator: Administrator, request: FastifyRequest, guard: PanelGuard) {
  async function refuse(address: string): Promise<never> {
    await guard.write(request, { action: 'access', actor: administrator.name, address, outcome: 'FORBIDDEN' });
    throw new ModuleError('FORBIDDEN');
  }
  const mailbox = async (address: string): Promise<void> => {
    // An address as it is compared must be one address: one "@", nothing that a back end may read in two ways.
    const odd = administrator.domains !== null && (/[\s"%*,;:<>()[\]\\\0]/.test(address) || address.indexOf('@') !== address.lastIndexOf('@'));
    if (odd || !mayReach(administrator, domainOf(address))) await refuse(address);
  };
  return {
    mailbox,
    refuse,
    async domain(domain: string): Promise<void> {
      if (!mayReach(administrator, domain)) await refuse(`*@${domain}`);
    },
    /** A search may name a domain after "@": one of the administrator's, or the beginning of one. */
    async search(text: string | undefined): Promise<void> {
      if (administrator.domains === null || text === undefined || !text.includes('@')) return;
      const named = domainOf(text);
      if (!administrator.domains.some((domain) => domain.startsWith(named))) await refuse(text);
    },
  };
}

export type Scope = ReturnType<typeof scopeOf>;
