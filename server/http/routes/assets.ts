import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ModuleError } from '../../../module/errors.ts';
import { packageRoot, readJson } from '../../paths.ts';
import type { Wiring } from '../../wiring.ts';

const TAG = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/;
const HASHED = /\.[0-9a-f]{8,}\.[a-z]+$/;

/** Texts that one surface alone shows: nobody else loads them. */
const OWN_TEXTS: Readonly<Record<string, RegExp>> = { 'user-panel': /^(?!adminPanel\.|notice\.)/, 'admin-panel': /^(?!userPanel\.|notice\.)/ };
const SECTION_TEXTS = /^(?!panel\.|userPanel\.|adminPanel\.|notice\.)/;

/** Texts for one language: English, then the language, then the region, then the operator's own, each over the last. */
function texts(tag: string, folders: readonly string[]): Record<string, string> {
  const language = tag.split('-')[0] ?? 'en';
  const merged: Record<string, string> = {};
  for (const name of new Set(['en', language, tag])) {
    for (const folder of folders) {
      const path = join(folder, `${name}.json`);
      if (existsSync(path)) Object.assign(merged, readJson(path), name === 'en' ? {} : { '@language': name });
    }
  }
  return merged;
}

/** What browsers load: the built client, the manifest, the texts. */
export async function assetRoutes(app: FastifyInstance, { config }: Wiring): Promise<void> {
  const root = packageRoot();
  const { basePath } = config.server;
  const folders = [join(root, 'locales'), ...(config.locales.dir === null ? [] : [config.locales.dir])];

  app.get(`${basePath}/manifest.json`, (_request, reply) => reply.header('Cache-Control', 'no-cache').send(readJson(join(root, 'manifest.json'))));

  app.get<{ Params: { file: string } }>(`${basePath}/locales/:file`, (request, reply) => sendTexts(request, reply, SECTION_TEXTS));
  app.get<{ Params: { file: string; surface: string } }>(`${basePath}/locales/:surface/:file`, (request, reply) => {
    const own = OWN_TEXTS[request.params.surface];
    if (own === undefined) throw new ModuleError('NOT_FOUND');
    return sendTexts(request, reply, own);
  });

  function sendTexts(request: FastifyRequest<{ Params: { file: string } }>, reply: FastifyReply, wanted: RegExp) {
    const tag = request.params.file.replace(/\.json$/, '');
    if (!TAG.test(tag) || tag === request.params.file) throw new ModuleError('NOT_FOUND');
    const body = JSON.stringify(Object.fromEntries(Object.entries(texts(tag, folders)).filter(([key]) => wanted.test(key))));
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    void reply.header('ETag', etag).header('Cache-Control', 'no-cache').type('application/json');
    return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(body);
  }

  const built = join(root, 'dist', 'client');
  if (!existsSync(built)) return;
  await app.register(fastifyStatic, {
    root: built,
    prefix: `${basePath}/assets/`,
    cacheControl: false,
    allowedPath: (path) => !path.endsWith('.map'),
    setHeaders: (reply, path) => {
      void reply.header('Cache-Control', HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}
