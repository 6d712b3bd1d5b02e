// `npm run check`: every key that the code asks for is in locales/en.json, every key there is asked for, and each surface is
// sent what it asks for. Literal keys and templates over typed parts (`channel.${channel}`) are read with TypeScript's own types.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { ERRORS } from '../module/errors.ts';
import { CHARACTER_CLASSES, POLICY_PRESETS } from '../module/policy/passwordPolicy.ts';
import { rulesFor } from '../module/policy/rulesFor.ts';
import { splitPlural } from '../module/texts/pluralKeys.ts';
import { type Surface, SURFACE_TEXTS } from '../module/texts/surfaceTexts.ts';

const ROOT = join(process.cwd());
const ENTRIES: Readonly<Record<Surface, string>> = {
  section: 'client/surfaces/mountAccountSection.tsx', webmail: 'client/embeddedHost/shell.ts', 'user-panel': 'client/userPanel.ts', 'admin-panel': 'client/adminPanel.ts',
};
/** Read by the host itself, from the drop-in's language files. */
const READ_BY_HOSTS = ['module.name', 'module.description'];

interface Use { readonly key: string; readonly file: string; readonly line: number }

export interface KeyReport {
  readonly undefined: readonly Use[];
  readonly unused: readonly string[];
  /** Asked for by a surface that is not sent them. */
  readonly unsent: readonly (Use & { readonly surface: string })[];
  /** Sent to a surface that does not ask for them. */
  readonly needless: readonly { readonly surface: string; readonly key: string }[];
}

/** `overlay` puts other content in the place of files, for tests. */
export function checkKeys(english: Readonly<Record<string, string>>, overlay: Readonly<Record<string, string>> = {}): KeyReport {
  const bases = new Set(Object.keys(english).filter((key) => !key.startsWith('@')).map((key) => splitPlural(key, english).base));
  const program = createProgram(overlay);
  const uses = program.getSourceFiles().filter(({ fileName }) => /\/(client|server|module)\//.test(fileName) && !fileName.includes('node_modules')).flatMap((file) => usesIn(file, program.getTypeChecker()));
  const byCode = [...Object.keys(ERRORS), 'fallback'].map((code) => `error.${code}`);
  const violations = violationsIn(program);
  const asked = new Set([...uses.map(({ key }) => key), ...byCode, ...violations.map(({ key }) => key), ...READ_BY_HOSTS]);
  const unsent = (Object.keys(ENTRIES) as Surface[]).flatMap((surface) => {
    const files = reachable(program, join(ROOT, ENTRIES[surface]));
    return uses.filter(({ key, file }) => files.has(join(ROOT, file)) && !SURFACE_TEXTS[surface].test(key)).map((use) => ({ ...use, surface }));
  });
  const needless = (Object.keys(ENTRIES) as Surface[]).flatMap((surface) => {
    const files = reachable(program, join(ROOT, ENTRIES[surface]));
    const mine = new Set(uses.filter(({ file }) => files.has(join(ROOT, file))).map(({ key }) => key));
    // Errors and violations come by code.
    return [...bases].filter((key) => SURFACE_TEXTS[surface].test(key) && !mine.has(key) && !/^(error|violation)\./.test(key)).map((key) => ({ surface, key }));
  });
  return { undefined: [...uses, ...violations].filter(({ key }) => !bases.has(key)), unused: [...bases].filter((key) => !asked.has(key)), unsent, needless };
}

function createProgram(overlay: Readonly<Record<string, string>>): ts.Program {
  const config = ts.getParsedCommandLineOfConfigFile(join(ROOT, 'tsconfig.json'), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined });
  if (config === undefined) throw new Error('tsconfig.json could not be read');
  const host = ts.createCompilerHost(config.options);
  const content = (path: string): string | undefined => overlay[relative(ROOT, path)];
  const { readFile, fileExists } = host;
  host.readFile = (path) => content(path) ?? readFile(path);
  host.fileExists = (path) => content(path) !== undefined || fileExists(path);
  const files = config.fileNames.filter((path) => /^(client|server|module)\//.test(relative(ROOT, path)));
  return ts.createProgram([...files, ...Object.keys(overlay).map((path) => join(ROOT, path))], config.options, host);
}

/** The union that `keyof` the English texts makes. */
function isMessageKey(type: ts.Type | undefined): boolean {
  return type?.aliasSymbol?.name === 'MessageKey' || (type?.isUnion() === true && type.types.some((part) => part.aliasSymbol?.name === 'MessageKey'));
}

const literals = (type: ts.Type): readonly string[] => (type.isUnion() ? type.types.flatMap(literals) : type.isStringLiteral() ? [type.value] : []);

/** Keys in arguments and values that must be a MessageKey. An expression that may be any key at all names none. */
function usesIn(file: ts.SourceFile, checker: ts.TypeChecker): Use[] {
  const found: Use[] = [];
  const add = (node: ts.Node, keys: readonly string[]): void => {
    const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    for (const key of keys) found.push({ key, file: relative(ROOT, file.fileName), line });
  };
  function visit(node: ts.Node): void {
    if (ts.isCallExpression(node)) {
      const parameters = checker.getResolvedSignature(node)?.parameters ?? [];
      node.arguments.forEach((argument, at) => {
        const parameter = parameters[at];
        if (parameter === undefined || !isMessageKey(checker.getTypeOfSymbolAtLocation(parameter, node))) return;
        const type = checker.getTypeAtLocation(argument);
        if (!isMessageKey(type)) add(argument, literals(type));
      });
    }
    if (ts.isStringLiteral(node) && isMessageKey(checker.getContextualType(node))) add(node, [node.text]);
    ts.forEachChild(node, visit);
  }
  visit(file);
  return found;
}

/** Codes of violations: those of every rule of the policy, of the request schemas, and `{ field | params, code: 'X' }` anywhere. */
function violationsIn(program: ts.Program): Use[] {
  const rules = rulesFor({ ...POLICY_PRESETS.default, requiredClasses: CHARACTER_CLASSES, maxBytes: 72, minStrength: 3 });
  const found: Use[] = rules.map(({ code }) => ({ key: `violation.${code}`, file: 'module/policy/rulesFor.ts', line: 1 }));
  for (const file of program.getSourceFiles()) {
    const path = relative(ROOT, file.fileName);
    if (!/^(client|module|server)\//.test(path)) continue;
    const add = (node: ts.StringLiteral): void => { found.push({ key: `violation.${node.text}`, file: path, line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1 }); };
    const visit = (node: ts.Node): void => {
      if (path.startsWith('module/requests/') && ts.isStringLiteral(node) && /^[A-Z]{3,}(_[A-Z]+)*$/.test(node.text) && !ts.isLiteralTypeNode(node.parent)) add(node);
      if (ts.isObjectLiteralExpression(node)) {
        const part = (name: string) => node.properties.find((each): each is ts.PropertyAssignment => ts.isPropertyAssignment(each) && each.name.getText() === name)?.initializer;
        const code = part('code');
        if (code !== undefined && ts.isStringLiteral(code) && (part('field') !== undefined || part('params') !== undefined)) add(code);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}

/** Every file that an entry imports, itself included. */
function reachable(program: ts.Program, entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    const file = program.getSourceFile(path);
    if (file === undefined || seen.has(path)) return;
    seen.add(path);
    const follow = (node: ts.Node): void => {
      const from = ts.isImportDeclaration(node) || ts.isExportDeclaration(node) ? node.moduleSpecifier : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments[0] : undefined;
      if (from !== undefined && ts.isStringLiteral(from) && from.text.startsWith('.')) visit(join(path, '..', from.text));
      ts.forEachChild(node, follow);
    };
    follow(file);
  };
  visit(entry);
  return seen;
}

if (process.argv[1]?.endsWith('checkKeys.ts') === true) {
  const report = checkKeys(JSON.parse(readFileSync(join(ROOT, 'locales', 'en.json'), 'utf8')) as Record<string, string>);
  for (const { key, file, line } of report.undefined) console.error(`${file}:${String(line)}: ${key} is used and not defined in locales/en.json`);
  for (const key of report.unused) console.error(`locales/en.json: ${key} is defined and used nowhere`);
  for (const { key, file, line, surface } of report.unsent) console.error(`${file}:${String(line)}: ${key} is not sent to ${surface} (module/texts/surfaceTexts.ts)`);
  for (const { surface, key } of report.needless) console.error(`${key} is sent to ${surface}, which does not ask for it (module/texts/surfaceTexts.ts)`);
  if (report.undefined.length + report.unused.length + report.unsent.length + report.needless.length > 0) process.exitCode = 1;
}
