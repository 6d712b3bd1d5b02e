import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { join } from 'node:path';
import { proxyLines } from '../../server/groupOffice/proxyLines.ts';
import { freePort, remove, run, runToEnd, serviceFolder, started } from './process.ts';

export interface WebServer {
  readonly https: string;
  readonly http: string;
  readonly folder: string;
  accessLog(): string;
  errorLog(): string;
  stop(): Promise<void>;
}

/** The webmail beside which the service is a path, and what its operator has set for the whole host, compression besides: all of it a trap for us. */
const OWN_HEADERS = { 'X-Frame-Options': 'SAMEORIGIN', 'X-Content-Type-Options': 'nosniff', 'Content-Security-Policy': "default-src 'self'", 'Strict-Transport-Security': 'max-age=1' };

const headerLines = (line: (name: string, value: string) => string): string => Object.entries(OWN_HEADERS).map(([name, value]) => line(name, value)).join('\n');

function nginxConf(folder: string, ports: { http: number; https: number }, snippet: string, webmail: string, inner: boolean): string {
  return `daemon off; user root; pid ${folder}/pid; error_log ${folder}/error.log info;
events { worker_connections 64; }
http {
  access_log ${folder}/access.log;
  gzip on; gzip_proxied any; gzip_min_length 0; gzip_types *;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${String(ports.http)}; ${inner ? `set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; include ${snippet};` : `location / { return 301 https://$host:${String(ports.https)}$request_uri; }`} }
  server {
    listen 127.0.0.1:${String(ports.https)} ssl http2; ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
${headerLines((name, value) => `    add_header ${name} "${value}" always;`)}
    ${webmail}
    include ${snippet};
  }
}
`;
}

function apacheConf(folder: string, ports: { http: number; https: number }, snippet: string, inner: boolean): string {
  const modules = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'headers', 'ssl', 'alias', 'dir', 'filter', 'deflate', 'http2', 'remoteip'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n');
  return `ServerRoot ${folder}
ServerName 127.0.0.1
PidFile ${folder}/pid
DefaultRuntimeDir ${folder}
Mutex file:${folder}
User www-data
Group www-data
${modules}
Protocols h2 http/1.1
ErrorLog ${folder}/error.log
LogLevel info
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog ${folder}/access.log combined
Listen 127.0.0.1:${String(ports.http)}
Listen 127.0.0.1:${String(ports.https)}
<VirtualHost *:${String(ports.http)}>
${inner ? `  RemoteIPHeader X-Forwarded-For\n  RemoteIPInternalProxy 127.0.0.1\n  Include ${snippet}` : `  Redirect 301 / https://127.0.0.1:${String(ports.https)}/`}
</VirtualHost>
<VirtualHost *:${String(ports.https)}>
  SSLEngine on
  SSLCertificateFile ${folder}/cert.pem
  SSLCertificateKeyFile ${folder}/key.pem
  DocumentRoot ${folder}/www
  SetOutputFilter DEFLATE
  <Directory ${folder}/www>
    Require all granted
  </Directory>
${headerLines((name, value) => `  Header always set ${name} "${value}"`)}
  Include ${snippet}
</VirtualHost>
`;
}

/**
 * The real server with our snippet as it is printed, which is as it is shipped. `ports.https` is where people come in. `embedded`: the
 * webmail is the service's own (nginx alone). `inner`: another one stands before it, at 127.0.0.1, and comes in by `ports.http`; the real
 * address is set first, as the snippets say.
 */
export async function startWebServer(kind: 'nginx' | 'apache', servicePort: number, ports: { http: number; https: number }, basePath = '/mailbox-password', { embedded = false, inner = false } = {}): Promise<WebServer> {
  const folder = serviceFolder(kind);
  runToEnd('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]);
  runToEnd('mkdir', ['-p', join(folder, 'www')]);
  writeFileSync(join(folder, 'www/index.html'), 'the webmail');
  chmodSync(join(folder, 'www'), 0o755);
  const snippet = join(folder, 'mailbox-password.conf');
  writeFileSync(snippet, proxyLines(basePath, `http://127.0.0.1:${String(servicePort)}`)[kind]);
  const conf = join(folder, 'server.conf');
  const webmail = embedded ? `location / { proxy_pass http://127.0.0.1:${String(servicePort)}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; }` : `root ${folder}/www;`;
  writeFileSync(conf, kind === 'nginx' ? nginxConf(folder, ports, snippet, webmail, inner) : apacheConf(folder, ports, snippet, inner));
  const running = kind === 'nginx' ? run('/usr/sbin/nginx', ['-e', 'stderr', '-p', folder, '-c', conf]) : run('/usr/sbin/apache2', ['-d', folder, '-f', conf, '-DFOREGROUND']);
  const https = `https://127.0.0.1:${String(ports.https)}`;
  await started(running, async () => (await ask(`${https}/`)).status === (embedded ? 502 : 200));
  return {
    https, http: `http://127.0.0.1:${String(ports.http)}`, folder,
    accessLog: () => readFileSync(join(folder, 'access.log'), 'utf8'),
    errorLog: () => readFileSync(join(folder, 'error.log'), 'utf8'),
    async stop() { await running.kill(); remove(folder); },
  };
}

export const webServerPorts = async (): Promise<{ http: number; https: number }> => ({ http: await freePort(), https: await freePort() });

export interface Answer {
  readonly status: number;
  /** Names and values in turn, as they came: a header that is there twice is seen twice. */
  readonly rawHeaders: readonly string[];
  header(name: string): readonly string[];
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Question { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string; readonly from?: string }

/** One request from a client at an address of this machine (127.0.0.2 by default: the proxy is 127.0.0.1). */
export function ask(url: string, { method = 'GET', headers = {}, body = '', from = '127.0.0.2' }: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? secureRequest : plainRequest;
    const outgoing = send(url, { method, headers: { ...headers, ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }) }, localAddress: from, rejectUnauthorized: false, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const { statusCode = 0, rawHeaders } = incoming;
        const bytes = Buffer.concat(chunks);
        resolve({
          status: statusCode, rawHeaders, bytes, text: bytes.toString(),
          header: (name) => rawHeaders.filter((_value, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name),
        });
      });
    });
    let answered = false;
    outgoing.on('response', () => { answered = true; });
    // A server that refuses a long body may answer and close before all of it was sent.
    outgoing.on('error', (error) => { if (!answered) reject(error); });
    outgoing.end(body);
  });
}
