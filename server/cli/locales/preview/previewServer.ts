import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { withShortKeys } from '../../../../module/texts/shortKey.ts';
import { type Surface, SURFACE_TEXTS } from '../../../../module/texts/surfaceTexts.ts';
import { packageRoot, readJson } from '../../../paths.ts';
import { localePath, localeTags } from '../../../texts/localeFile.ts';
import { createTextLibrary, type TextLibrary } from '../../../texts/textLibrary.ts';
import { jsonProblem } from '../jsonProblem.ts';
import { LocaleProblem } from '../localeProblem.ts';
import { localeSources } from '../localeSources.ts';
import { overviewPage, problemPage, RELOAD, scenePage, STEPS } from './previewPages.ts';
import { type Answer, DEFAULTS, SCENES } from './scenes.ts';

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.txt': 'text/plain', '.woff2': 'font/woff2' };

export interface Preview {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves every surface in every state, `/<tag>/<scene>`, and an overview at `/<tag>/`. The pages are those of the built
 * client; the answers are made up, nothing is stored, and only this machine can reach it.
 */
export async function startPreview({ port = 0, folder = null }: { readonly port?: number; readonly folder?: string | null } = {}): Promise<Preview> {
  const client = join(packageRoot(), 'dist', 'client');
  if (!existsSync(join(client, 'assets.json'))) throw new LocaleProblem('the pages are not built yet: npm run build');
  const assets = readJson(join(client, 'assets.json')) as Record<string, string>;
  const library = createTextLibrary(folder);
  const server = createServer((request, response) => {
    try {
      answer(request, response);
    } catch (error) {
      // English itself or its notes cannot be read at the moment.
      if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
      response.end(problemPage((request.url ?? '').split('/')[1] ?? '', (error as Error).message));
    }
  });

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://preview');
    const send = (type: string, body: string | Buffer, status = 200): void => {
      response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' }).end(body);
    };
    const sendAnswer = ({ status, body }: Answer): void => { send(status === 200 ? 'application/json' : 'application/problem+json', JSON.stringify(body), status); };
    if (pathname.startsWith('/stamp/')) send('application/json', JSON.stringify({ stamp: stampOf(folder), problem: problemOf(pathname.split('/')[2] ?? '', folder) }));
    else if (pathname === '/reload.js') send('text/javascript', RELOAD);
    else if (pathname === '/steps.js') send('text/javascript', STEPS);
    else {
      const [, tag = '', name = '', ...rest] = pathname.split('/');
      const scene = SCENES.find((each) => each.name === name) ?? SCENES.find((each) => request.headers.referer?.includes(`/${each.name}`));
      const below = pathname.startsWith('/host/') ? pathname : `/${rest.join('/')}`;
      const given = scene?.answers[below] ?? DEFAULTS[below];
      if (given !== undefined && (pathname.startsWith('/host/') || rest.length > 0)) sendAnswer(given);
      else if (name === '' && tag !== '') send('text/html', overviewPage(library.choose([tag]), library, localeSources()));
      else if (scene === undefined) send('text/plain', 'not here', 404);
      else if (rest.length === 0) send('text/html', scenePage(tag, scene, library, assets));
      else other(below, tag, send, sendAnswer);
    }
  }

  function other(below: string, tag: string, send: (type: string, body: string | Buffer, status?: number) => void, sendAnswer: (answer: Answer) => void): void {
    const texts = /^\/locales\/([a-z-]+)\//.exec(below)?.[1];
    const file = join(client, normalize(below.slice('/assets'.length)));
    if (texts !== undefined) sendAnswer({ status: 200, body: surfaceTexts(texts as Surface, tag, library) });
    else if (below === '/languages.json') sendAnswer({ status: 200, body: library.languages() });
    else if (below === '/manifest.json') sendAnswer({ status: 200, body: readJson(join(packageRoot(), 'manifest.json')) as object });
    else if (below === '/panel/' || below === '/admin/') send('text/html', '');
    else if (below.startsWith('/assets/') && file.startsWith(client) && existsSync(file)) send(TYPES[extname(file)] ?? 'application/octet-stream', readFileSync(file));
    else send('text/plain', 'not here', 404);
  }

  await new Promise<void>((resolve, reject) => { server.once('error', reject).listen(port, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    stop: () => new Promise((resolve) => { server.close(() => { resolve(); }); server.closeAllConnections(); }),
  };
}

const surfaceTexts = (surface: Surface, tag: string, library: TextLibrary): object =>
  withShortKeys(Object.fromEntries(Object.entries(library.texts(library.choose([tag]))).filter(([key]) => SURFACE_TEXTS[surface].test(key))));

const foldersOf = (own: string | null): readonly string[] => [join(packageRoot(), 'locales'), ...(own === null ? [] : [own])];

/** Changes whenever a language file does, or the notes. */
const stampOf = (own: string | null): string => foldersOf(own)
  .flatMap((folder) => [...localeTags(folder).map((tag) => localePath(folder, tag)), join(folder, 'notes', 'en.json')])
  .map((path) => String(statSync(path, { throwIfNoEntry: false })?.mtimeMs)).join();

/** What keeps a language's file, or the English one behind it, from being read, with its line; null where nothing does. */
function problemOf(tag: string, own: string | null): string | null {
  for (const folder of foldersOf(own)) {
    for (const each of new Set([tag, 'en'])) {
      const path = localePath(folder, each);
      const content = existsSync(path) ? readFileSync(path, 'utf8') : '{}';
      const problem = jsonProblem(content);
      if (problem !== null) return `${path}:${String(problem.line)}: ${problem.message}\n-> ${problem.suggestion}. Until then you see the last state that could be read.`;
    }
  }
  return null;
}
