import { stringify } from 'yaml';
import { DEFAULT_CONFIG } from '../../../module/config/configSchema.ts';
import { type ConfigKey, driverKeys, type DriverSection, ENTRY_KEYS, topLevelKeys } from '../../config/configKeys.ts';
import { exampleText } from '../../config/configProblem.ts';
import { isTree, type Tree, valueAt } from '../../config/layers.ts';

const WIDTH = 110;

/** Words as comment lines. */
function comment(text: string, indent: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && indent.length + last.length + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => `${indent}# ${line}`);
}

const block = (value: unknown, indent: string): string[] => stringify(value, { lineWidth: 0 }).trimEnd().split('\n').map((line) => `${indent}${line}`);
const pair = (name: string, value: unknown): string => (isTree(value) || (Array.isArray(value) && value.some(isTree)) ? `${name}: ${exampleText(value)}` : stringify({ [name]: value }, { lineWidth: 0, flowCollectionPadding: false, collectionStyle: 'flow' }).trim().replace(/^\{|\}$/g, ''));

/** One entry of a driver: what was chosen, then what else it knows, commented out. */
function driverEntry(section: DriverSection, entry: Tree, indent: string): string[] {
  const chosen = block(entry, indent);
  const driver = typeof entry['driver'] === 'string' ? entry['driver'] : '';
  const more = driverKeys(section, driver).filter(({ path }) => !/[.[]/.test(path) && entry[path] === undefined && !(ENTRY_KEYS[section] as readonly string[]).includes(path));
  return [...chosen, ...more.flatMap(({ path, description, example }) => [...comment(description, indent), `${indent}# ${path}:${example === undefined ? '' : ` ${exampleText(example)}`}`])];
}

function drivers(section: DriverSection, value: unknown): string[] {
  if (!Array.isArray(value)) return isTree(value) ? [`${section}:`, ...driverEntry(section, value, '  ')] : [];
  if (value.length === 0) return [`${section}: []`];
  return [`${section}:`, ...value.flatMap((entry: unknown) => {
    const [first = '', ...rest] = driverEntry(section, isTree(entry) ? entry : {}, '    ');
    return [`  - ${first.trimStart()}`, ...rest];
  })];
}

/** The whole configuration as a file that explains itself: what was chosen is live, every other key stands commented out with its default. */
export function commentedYaml(chosen: Tree, heading: string): string {
  const keys = topLevelKeys();
  const defaults = DEFAULT_CONFIG as unknown as Tree;
  const childrenOf = (path: string): readonly ConfigKey[] => keys.filter((key) => key.path.startsWith(path === '' ? '' : `${path}.`) && !/[.[]/.test(key.path.slice(path === '' ? 0 : path.length + 1)));
  const emit = (key: ConfigKey, indent: string): string[] => {
    const { path } = key;
    const name = path.slice(path.lastIndexOf('.') + 1);
    const value = valueAt(chosen, path);
    const head = comment(key.description, indent);
    if (Object.hasOwn(ENTRY_KEYS, path) && value !== undefined) return [...head, ...drivers(path as DriverSection, value)];
    const below = childrenOf(path);
    if (below.length > 0 && (value === undefined || isTree(value))) {
      const inner = below.flatMap((child) => emit(child, `${indent}  `));
      if (value !== undefined) return [...head, `${indent}${name}:`, ...inner];
      return [...head, `${indent}# ${name}:`, ...inner.map((line) => (line.trimStart().startsWith('#') ? line : `${indent}# ${line.slice(indent.length)}`))];
    }
    if (value !== undefined) return [...head, ...block({ [name]: value }, indent)];
    const standard = valueAt(defaults, path);
    const shown = standard === undefined ? key.example : standard;
    return [...head, `${indent}# ${shown === undefined ? `${name}:` : pair(name, shown)}${standard === undefined && shown !== undefined ? '   # an example' : ''}`];
  };
  return `${comment(heading, '').join('\n')}\n\n${childrenOf('').map((key) => emit(key, '').join('\n')).join('\n\n')}\n`;
}
