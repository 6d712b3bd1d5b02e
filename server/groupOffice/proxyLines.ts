import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../paths.ts';

/** What the files are written for; everything else is put in its place. */
const [SHIPPED_PATH, SHIPPED_URL] = ['/mailbox-password', 'http://127.0.0.1:8080'];

/** In the package `deploy/`, in a checkout where the package is made from. */
function snippet(name: string): string {
  const folder = [join(packageRoot(), 'deploy'), join(packageRoot(), 'server/package/deploy')].find((one) => existsSync(join(one, name)));
  if (folder === undefined) throw new Error(`deploy/${name} is missing`);
  const lines = readFileSync(join(folder, name), 'utf8').split('\n');
  // The head says how to copy the file and what goes into config.yaml: whoever prints the lines says it himself.
  return lines.slice(lines.findIndex((line) => line !== '' && !line.startsWith('#'))).join('\n');
}

/**
 * What an operator puts into the web server in front of the webmail, so that the service is a path of the same host: the shipped snippets,
 * which are tested with the real servers, for this path and address. `basePath` as `server.basePath`, `serviceUrl` without a path.
 */
export function proxyLines(basePath: string, serviceUrl: string): { readonly nginx: string; readonly apache: string } {
  const fitted = (text: string): string => text.replaceAll(SHIPPED_URL, serviceUrl.replace(/\/$/, '')).replaceAll(SHIPPED_PATH, basePath);
  return {
    nginx: `# nginx: inside the server { } block of the webmail\n${fitted(snippet('nginx.conf'))}`,
    apache: `# Apache: inside the <VirtualHost> of the webmail (a2enmod alias proxy proxy_http headers)\n${fitted(snippet('apache.conf'))}`,
  };
}
