// The licence of every package that is shipped. No text, no package.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;
const TEXT = /Permission is hereby granted|Permission to use, copy, modify|Redistribution and use in source|Apache License/;

/** Packages that ship no text of their own, with the holder that their package.json or repository names. */
const HOLDERS = JSON.parse(readFileSync(join(import.meta.dirname, 'licenceHolders.json'), 'utf8'));

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const ISC = `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the
above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY
DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION,
ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.`;

const STANDARD = { MIT, ISC };

function ownText(folder) {
  const files = readdirSync(folder).filter((name) => FILE.test(name)).sort();
  if (files.some((name) => !/^notice/i.test(name))) return files.map((name) => readFileSync(join(folder, name), 'utf8').trim()).join('\n\n');
  const readme = readdirSync(folder).find((name) => /^readme(\.|$)/i.test(name));
  if (readme === undefined) return null;
  const text = readFileSync(join(folder, readme), 'utf8');
  const heading = text.search(/^(#+\s*)?licen[cs]e\b/im);
  return heading >= 0 && TEXT.test(text.slice(heading)) ? text.slice(heading).trim() : null;
}

/** `{ name, version, licence, text }` of the package in `folder`; `text` is null where none can be found. */
function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const own = ownText(folder);
  if (own !== null) return { name, version, licence: license, text: own };
  const holder = HOLDERS[name];
  const standard = STANDARD[license];
  return { name, version, licence: license, text: holder === undefined || standard === undefined ? null : `${holder}\n\n${standard}` };
}

/** The whole file. Throws with the name of every package that has no licence or no text. */
export function thirdPartyLicences(folders) {
  const all = folders.filter((folder) => existsSync(folder)).map((folder) => licenceOf(folder));
  const bad = all.filter(({ licence, text }) => typeof licence !== 'string' || licence === 'UNLICENSED' || text === null);
  if (bad.length > 0) throw new Error(`no licence text for: ${bad.map(({ name, version }) => `${name} ${version}`).join(', ')} (server/package/licenceHolders.json takes the holder)`);
  const byName = new Map(all.map((one) => [`${one.name} ${one.version}`, one]));
  const line = '-'.repeat(100);
  const parts = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, { licence, text }]) => `${line}\n${title} (${licence})\n${line}\n\n${text.replaceAll('\r\n', '\n')}\n`);
  return `Mailbox Password contains the following software of others, under the licences given.\n\n${parts.join('\n')}`;
}
