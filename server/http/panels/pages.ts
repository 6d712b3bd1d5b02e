import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { packageRoot, readJson } from '../../paths.ts';
import type { Wiring } from '../../wiring.ts';

/** The two pages: empty shells without a line of script or style of their own, so that the strictest policy holds. */
export function panelPages(app: FastifyInstance, { config, panels, host }: Wiring): void {
  const { basePath } = config.server;
  const page = (entry: 'user-panel' | 'admin-panel'): string => {
    const list = join(packageRoot(), 'dist', 'client', 'assets.json');
    const files = existsSync(list) ? (readJson(list) as Record<string, string>) : {};
    return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`
      + `<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>Mailbox Password</title><link rel="icon" href="data:,">`
      + `<script type="module" src="${basePath}/assets/${files[`${entry}.js`] ?? `${entry}.js`}"></script></head>`
      + `<body><div id="app" data-base="${basePath}"${config.readOnly ? ' data-read-only=""' : ''}></div></body></html>`;
  };
  const serve = (path: string, entry: 'user-panel' | 'admin-panel'): void => {
    // Nothing of a page is kept: Back after log-out finds the log-in form.
    app.get(`${basePath}/${path}/`, (_request, reply) => reply.header('Cache-Control', 'no-store').type('text/html; charset=utf-8').send(page(entry)));
    for (const short of [`${basePath}/${path}`, `/${path}`, `/${path}/`]) app.get(short, (_request, reply) => reply.redirect(`${basePath}/${path}/`));
  };
  if (config.panels.user.enabled) serve('panel', 'user-panel');
  // Without a webmail the panel is what people come for (/.well-known/change-password: W3C, A Well-Known URL for Changing Passwords).
  if (config.panels.user.enabled && config.host.driver === 'none') for (const path of ['/', '/.well-known/change-password']) app.get(path, (_request, reply) => reply.redirect(`${basePath}/panel/`));
  if (config.panels.admin.enabled && (panels.administrators.any || host.administrator !== undefined)) serve('admin', 'admin-panel');
}
