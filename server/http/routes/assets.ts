import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ModuleError } from '../../../module/errors.ts';
import { withShortKeys } from '../../../module/texts/shortKey.ts';
import { type Surface, SURFACE_TEXTS } from '../../../module/texts/surfaceTexts.ts';
import { packageRoot, readJson } from '../../paths.ts';
import type { Wiring } from '../../wiring.ts';
import { keepAssets } from '../keptAssets.ts';

/** What a browser may wish for at once: tags by comma, most wanted first. */
const WISHES = /^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}(?:,[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}){0,19}$/;
const HASHED = /\.[0-9a-f]{8,}\.[a-z]+(?:\.(?:br|gz))?$/;
/** In the folder, and nothing that is asked for by its own name. */
const NOT_ASKED_FOR = /\.(?:map|br|gz)$/;
const TAKES_GZIP = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i;

/** What browsers load: the built client, the manifest, the texts. */
export async function assetRoutes(app: FastifyInstance, { config, dataDir, texts }: Wiring): Promise<void> {
  const root = packageRoot();
  const { basePath } = config.server;

  app.get(`${basePath}/manifest.json`, (request, reply) => sendJson(request, reply, { ...(readJson(join(root, 'manifest.json')) as object), locales: texts.languages().map(({ tag }) => tag) }));
  app.get(`${basePath}/languages.json`, (request, reply) => sendJson(request, reply, texts.languages()));

  app.get<{ Params: { surface: string; file: string } }>(`${basePath}/locales/:surface/:file`, (request, reply) => {
    // Own names only: `constructor` is none of the surfaces.
    const wanted = Object.hasOwn(SURFACE_TEXTS, request.params.surface) ? SURFACE_TEXTS[request.params.surface as Surface] : undefined;
    const [, wishes, short] = /^(.*?)(\.short)?\.json$/.exec(request.params.file) ?? [];
    if (wanted === undefined || wishes === undefined || !WISHES.test(wishes)) throw new ModuleError('NOT_FOUND');
    const chosen = Object.fromEntries(Object.entries(texts.texts(texts.choose(wishes.split(',')))).filter(([key]) => wanted.test(key)));
    return sendJson(request, reply, short === undefined ? chosen : withShortKeys(chosen));
  });

  function sendJson(request: FastifyRequest, reply: FastifyReply, content: object) {
    const body = JSON.stringify(content);
    // Weak: the same content, compressed or not.
    const etag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    void reply.header('ETag', etag).header('Cache-Control', 'no-cache').header('Vary', 'Accept-Encoding').type('application/json');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return TAKES_GZIP.test(request.headers['accept-encoding'] ?? '') ? reply.header('Content-Encoding', 'gzip').send(gzipped(etag, body)) : reply.send(body);
  }

  const built = join(root, 'dist', 'client');
  if (!existsSync(built)) return;
  const earlier = keepAssets(built, dataDir);
  await app.register(fastifyStatic, {
    root: built,
    serve: false,
    cacheControl: false,
    preCompressed: true,
    allowedPath: (path) => !NOT_ASKED_FOR.test(path),
    setHeaders: (reply, path) => {
      void reply.header('Cache-Control', HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  // One folder or the other: with both as its roots the plugin looks for each way of compressing in the second only.
  app.get<{ Params: { file: string } }>(`${basePath}/assets/:file`, ({ params: { file } }, reply) => reply.sendFile(file, earlier === null || existsSync(join(built, file)) ? built : earlier));
}

const KEPT = 200;
const compressed = new Map<string, Buffer>();
/** Texts do not change from one request to the next: each is compressed once. */
function gzipped(etag: string, body: string): Buffer {
  const known = compressed.get(etag);
  if (known !== undefined) return known;
  const bytes = gzipSync(body, { level: 9 });
  if (compressed.size >= KEPT) compressed.clear();
  compressed.set(etag, bytes);
  return bytes;
}
