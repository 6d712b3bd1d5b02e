/** The languages that somebody wants, most wanted first, as one part of a path: the host's or the chosen one, then the browser's. */
export const wishes = (first: string | null | undefined): string =>
  [...new Set([...(first ?? '').split(','), ...navigator.languages])].filter((tag) => /^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$/.test(tag)).slice(0, 20).join(',') || 'en';
