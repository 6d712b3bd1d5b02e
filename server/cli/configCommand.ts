import type { Command } from 'commander';
import { keyAt } from '../config/configKeys.ts';
import { exampleText, MASK } from '../config/configProblem.ts';
import { driverAtIn } from '../config/judgeDrivers.ts';
import { isTree, originOf, valueAt } from '../config/layers.ts';
import { type Inspection, inspectConfig } from '../config/loadConfig.ts';
import { referenceOf } from '../config/references.ts';
import { command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { exitWith } from './exitCodes.ts';
import { problemText } from './failure.ts';
import { print, printJson, table } from './terminal.ts';

interface Shown { readonly path: string; readonly value: string; readonly origin: string; readonly secret: boolean }

const inspect = ({ config }: ConfigOption): Inspection => inspectConfig({ file: config, environment: process.env });

/** Every value that holds, secrets masked; one kept elsewhere is shown as where it is kept. */
function effective({ written, layers }: Inspection): Shown[] {
  const shown: Shown[] = [];
  const walk = (value: unknown, path: string): void => {
    const key = keyAt(path, driverAtIn(written));
    const reference = referenceOf(value);
    const entry = (text: string): void => void shown.push({ path, value: text, origin: originOf(path, layers), secret: key?.secret ?? false });
    if (reference !== null) return entry(`{ ${reference.kind}: ${reference.name} }`);
    if (key?.secret === true && value !== null && value !== undefined && !(isTree(value) && valueAt(written, path) === undefined)) return entry(MASK);
    if (Array.isArray(value) && value.some((item) => isTree(item))) return value.forEach((item, at) => { walk(item, `${path}[${String(at)}]`); });
    if (isTree(value) && Object.keys(value).length > 0) return Object.entries(value).forEach(([name, inner]) => { walk(inner, path === '' ? name : `${path}.${name}`); });
    return entry(exampleText(value));
  };
  walk(written, '');
  return shown;
}

/** `mailbox-password config check | show`. Both connect to nothing. */
export function configCommand(): Command {
  const config = command('config', 'look at the configuration');
  config.addCommand(command('check', 'every problem at once: where, what stands there, what is expected, an example', ['config check -c /etc/mailbox-password/config.yaml', 'config check --json'])
    .addOption(configOption()).addOption(jsonOption())
    .action((options: ConfigOption & JsonOption) => {
      const { problems } = inspect(options);
      if (options.json === true) printJson({ ok: problems.length === 0, problems });
      else print(problems.length === 0 ? 'The configuration is good.' : `The configuration has ${String(problems.length)} problem(s):\n${problems.map(problemText).join('\n')}`);
      if (problems.length > 0) exitWith('CONFIGURATION');
    }));
  config.addCommand(command('show', 'every value that holds, secrets masked, and where it comes from', ['config show', 'config show --json | jq \'.[] | select(.origin != "default")\''])
    .addOption(configOption()).addOption(jsonOption())
    .action((options: ConfigOption & JsonOption) => {
      const found = inspect(options);
      const values = effective(found);
      if (options.json === true) printJson(values);
      else print(table(values.map(({ path, value, origin }) => [path, value, `(${origin})`])));
      if (found.problems.length > 0) {
        process.stderr.write(`It does not start like this: \`mailbox-password config check\` lists ${String(found.problems.length)} problem(s).\n`);
        exitWith('CONFIGURATION');
      }
    }));
  return config;
}
