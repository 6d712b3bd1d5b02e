import { existsSync } from 'node:fs';
import type { Config } from '../../../module/config/configSchema.ts';
import { fail, type Finding, ok, warn } from '../../ports/diagnosis.ts';
import { localeTags, readTexts } from '../../texts/localeFile.ts';
import { createTextLibrary } from '../../texts/textLibrary.ts';

/** The languages that people are offered, and the operator's own texts. */
export function lookAtTexts({ locales: { dir } }: Pick<Config, 'locales'>): Finding[] {
  const broken: string[] = [];
  const library = createTextLibrary(null, (path) => { broken.push(path); });
  const languages = library.languages();
  const english = library.texts('en');
  const findings: Finding[] = [
    Object.keys(english).length === 0 ? fail('languages', 'the English texts are not there', 'install the package again') : ok('languages', `${String(languages.length)} languages`),
    ...broken.map((path) => fail('languages', `${path} cannot be read`, 'install the package again')),
  ];
  if (dir === null) return findings;
  if (!existsSync(dir)) return [...findings, fail('own texts', `${dir} is not there`, 'make the folder, or set locales.dir to null')];
  for (const tag of localeTags(dir)) {
    try {
      const own = Object.keys(readTexts(dir, tag));
      const unknown = own.filter((key) => english[key] === undefined);
      findings.push(unknown.length === 0 ? ok('own texts', `${tag}: ${String(own.length)} of your own`) : warn('own texts', `${tag}: no text is called ${unknown.slice(0, 3).join(', ')}`, 'see `mailbox-password locales check --dir`'));
    } catch {
      findings.push(fail('own texts', `${dir}/${tag}.json cannot be read`, `run \`mailbox-password locales check ${tag} --dir ${dir}\``));
    }
  }
  return findings;
}
