/** The patterns of an application's routes, for whoever has a path and no answer yet. */
export interface RoutePatterns {
  add(pattern: string): void;
  /** `/mailbox-password/locales/:surface/:file`; `none` where no route has this path. Never the path itself. */
  of(url: string | undefined): string;
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** As fastify matches: `:name` is one part, `*` the rest; what is spelt out wins. */
export function createRoutePatterns(): RoutePatterns {
  const literal = new Set<string>();
  const open = new Map<string, RegExp>();
  return {
    add(pattern) {
      if (!/[:*]/.test(pattern)) literal.add(pattern);
      else open.set(pattern, new RegExp(`^${pattern.split('/').map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : escaped(part))).join('/')}$`));
    },
    of(url = '') {
      const [path = ''] = url.split('?');
      if (literal.has(path)) return path;
      return [...open].find(([, expression]) => expression.test(path))?.[0] ?? 'none';
    },
  };
}
