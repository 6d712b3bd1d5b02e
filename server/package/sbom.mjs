// What the tarball is made of, as CycloneDX: `npm sbom` over the lock file, kept to what is really in it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of the npm packages whose code is in the browser's files, by the source maps that the build leaves beside them. */
export function bundledPackages(folder) {
  const names = new Set();
  for (const file of readdirSync(folder).filter((one) => one.endsWith('.js'))) {
    for (const source of JSON.parse(readFileSync(join(folder, `${file}.map`), 'utf8')).sources) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(source)?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  return [...names].sort();
}

/** A UUID that says the content (RFC 9562, version 8): the same input gives the same bytes. */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * The document as text. `packages`: [{ name, version, licence }] of everything that is in; `node`: the version of the Node that is, or null;
 * `seconds` since the epoch: when the input was made. Throws where the lock file does not know a package.
 */
export function sbom({ root, release, packages, node, seconds }) {
  // (Not with --omit=dev, which leaves out also what is needed here and by a tool of the development.)
  const whole = JSON.parse(execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 }));
  const wanted = new Map(packages.map((one) => [`${one.name}@${one.version}`, one]));
  const components = whole.components.filter((one) => wanted.has(one['bom-ref'])).map((one) => ({
    ...one, scope: 'required', properties: one.properties.filter((property) => property.name !== 'cdx:npm:package:development'),
    licenses: one.licenses ?? [{ license: { id: wanted.get(one['bom-ref']).licence } }],
  }));
  const missing = [...wanted.keys()].filter((ref) => !components.some((one) => one['bom-ref'] === ref));
  if (missing.length > 0) throw new Error(`npm sbom does not know: ${missing.join(', ')}`);
  const self = `mailbox-password@${release}`;
  const old = whole.metadata.component['bom-ref'];
  if (node !== null) components.push({ 'bom-ref': `node@${node}`, type: 'platform', name: 'node', version: node, purl: `pkg:generic/node@${node}`, licenses: [{ license: { id: 'MIT' } }] });
  const known = new Set(components.map((one) => one['bom-ref']));
  const dependencies = whole.dependencies.filter(({ ref }) => ref === old || known.has(ref)).map(({ ref, dependsOn = [] }) => ({ ref: ref === old ? self : ref, dependsOn: dependsOn.filter((one) => known.has(one)) }));
  const document = {
    ...whole, serialNumber: '', components, dependencies,
    metadata: {
      ...whole.metadata, timestamp: new Date(seconds * 1000).toISOString(), lifecycles: [{ phase: 'build' }],
      component: { ...whole.metadata.component, 'bom-ref': self, type: 'application', name: 'mailbox-password', version: release, purl: `pkg:npm/${self}` },
    },
  };
  return `${JSON.stringify({ ...document, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(document))}` }, null, 2)}\n`;
}
