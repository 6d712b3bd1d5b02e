import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../../server/config/configProblem.ts';
import { DEFAULT_TEMPLATES } from '../../../server/notices/defaultTemplates.ts';
import { loadTemplates } from '../../../server/notices/loadTemplates.ts';
import { compileTemplate, PLACEHOLDERS, templateProblems, type Values } from '../../../server/notices/template.ts';

const values = (own: Partial<Values> = {}): Values => ({ ...Object.fromEntries(PLACEHOLDERS.map((name) => [name, ''])) as Values, ...own });

test('values are text: escaped in HTML, inserted once, line ends kept', () => {
  const hostile = '<img src=x onerror="alert(1)">&\'{{address}}\n{{#what}}';
  const html = compileTemplate('<p title="{{what}}">{{ what }}</p>', 'html')(values({ what: hostile, address: 'SECRET' }));
  expect(html).toBe(`<p title="${'&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;{{address}}<br>{{#what}}'}">${'&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;{{address}}<br>{{#what}}'}</p>`);
  expect(compileTemplate('{{what}}', 'txt')(values({ what: hostile }))).toBe(hostile);
});

test('a section goes with its value', () => {
  const template = compileTemplate('a{{#support}}[{{support}}]{{/support}}b{{#pending}}x{{/pending}}', 'txt');
  expect(template(values())).toBe('ab');
  expect(template(values({ support: 'call $& us', pending: 'y' }))).toBe('a[call $& us]bx');
});

test.each([
  ['{{password}}', /\{\{password\}\} is not known/], ['{{adress}}', /\{\{adress\}\} is not known; there is .*\{\{address\}\}/], ['{{#what}}a', /counterpart/], ['a{{/what}}', /counterpart/],
  ['{{#what}}{{#when}}a{{/when}}{{/what}}', /counterpart/], ['{{#what}}a{{/when}}', /counterpart/], ['{{what', /braces/], ['{{wh at}}', /braces/], ['{{{what}}}', /braces/],
])('%s is refused', (source, message) => {
  expect(templateProblems(source).join('\n')).toMatch(message);
  expect(() => compileTemplate(source, 'html')).toThrow(message);
});

test('style sheets keep their braces', () => {
  expect(compileTemplate('<style>@media print{p{color:red}}</style>{{what}}', 'html')(values({ what: 'a' }))).toBe('<style>@media print{p{color:red}}</style>a');
});

test('our own templates are right', () => {
  expect([templateProblems(DEFAULT_TEMPLATES.html), templateProblems(DEFAULT_TEMPLATES.txt)]).toEqual([[], []]);
  expect(DEFAULT_TEMPLATES.html).not.toMatch(/\bhref|\bsrc=|url\(|https?:/);
});

describe('a folder of the operator', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'mailbox-password-')); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  test('the file that names most wins; what is not there is ours', () => {
    for (const [name, text] of [['notice.txt', 'all'], ['notice.nl.txt', 'nl'], ['notice.set.txt', 'set'], ['notice.set.nl.txt', 'set nl'], ['README.md', '{{nothing}}']] as const) writeFileSync(join(folder, name), text);
    const templateFor = loadTemplates(folder);
    expect([templateFor('change', 'en', 'txt'), templateFor('change', 'nl', 'txt'), templateFor('change', 'nl-BE', 'txt'), templateFor('set', 'en', 'txt'), templateFor('set', 'nl-BE', 'txt')].map((template) => template(values())))
      .toEqual(['all', 'nl', 'nl', 'set', 'set nl']);
    expect(templateFor('set', 'nl', 'html')(values({ what: 'Hello' }))).toContain('<h1>Hello</h1>');
  });

  test('a mark of the byte order, which some editors write, is no part of the text', () => {
    writeFileSync(join(folder, 'notice.txt'), '\ufeff{{what}}');
    expect(loadTemplates(folder)('set', 'nl', 'txt')(values({ what: 'Hello' }))).toBe('Hello');
  });

  test('unknown placeholders and misnamed files do not start, all at once; nor does a folder that is not there', () => {
    writeFileSync(join(folder, 'notice.html'), '<p>{{name}} {{token}}</p>');
    writeFileSync(join(folder, 'notices.html'), '');
    writeFileSync(join(folder, 'notice.nl.html'), ' \n');
    mkdirSync(join(folder, 'notice.nl.txt'));
    writeFileSync(join(folder, 'notice.de.txt'), Buffer.from('Geändert: {{what}}', 'latin1'));
    const problems = (() => { try { loadTemplates(folder); return []; } catch (error) { return (error as ConfigError).problems; } })();
    expect(problems).toEqual([
      expect.stringContaining('notices.templatesDir: notice.de.txt: it is not in UTF-8'),
      expect.stringContaining('notices.templatesDir: notice.html: {{name}} is not known'), expect.stringContaining('notices.templatesDir: notice.html: {{token}} is not known'),
      expect.stringContaining('notices.templatesDir: notice.nl.html: it is empty'), expect.stringContaining('notices.templatesDir: notice.nl.txt: it cannot be read (EISDIR)'),
      expect.stringContaining('notices.templatesDir: notices.html is no template'),
    ]);
    expect(() => loadTemplates(join(folder, 'absent'))).toThrow(/notices\.templatesDir: .*ENOENT/);
  });
});

test('the example of docs/notices.md is a template that works', () => {
  const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'notices.md'), 'utf8');
  const [example = ''] = [...page.matchAll(/```html\n([\s\S]*?)```/g)].map(([, source]) => String(source));
  const html = compileTemplate(example, 'html')(values({ language: 'nl', direction: 'ltr', what: 'Changed <b>', when: 'Today', where: 'From: here', by: 'By: you', ended: 'Webmail', pending: 'Phones', notMine: 'Call', support: '+31 20 123 4567', automatic: 'Automatic' }));
  expect(html).toMatch(/^<html lang="nl" dir="ltr">/);
  for (const part of ['Changed &lt;b&gt;', 'Today', 'From: here', 'By: you', 'Webmail', 'Phones', 'Call', '+31 20 123 4567', 'Automatic']) expect(html).toContain(part);
  expect(html).not.toMatch(/[{}]/);
  expect(compileTemplate(example, 'html')(values({ what: 'Changed' }))).not.toContain('<p></p>');
});
