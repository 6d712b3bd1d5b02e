import { browserName } from '../../module/clientName.ts';

/** A browser by its name; anything else as it says itself. */
export const clientName = (userAgent: string | null): string => (userAgent === null || userAgent === '' ? '–' : (browserName(userAgent) ?? userAgent));
