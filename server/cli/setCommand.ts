import type { Command } from 'commander';
import { ModuleError } from '../../module/errors.ts';
import { generatePassword } from '../../module/policy/generatePassword.ts';
import { setPasswordSchema } from '../../module/requests/panelRequests.ts';
import { validateRequest } from '../../module/requests/validateRequest.ts';
import { useCaseDependencies } from '../http/useCaseDependencies.ts';
import { policyResources } from '../passwordPolicy/policyResources.ts';
import { setMailboxPassword } from '../useCases/setMailboxPassword.ts';
import type { Wiring } from '../wiring.ts';
import { address as addressArgument, command, configOption, type ConfigOption, jsonOption, type JsonOption } from './command.ts';
import { CommandError } from './exitCodes.ts';
import { endedText, exitForPending } from './ended.ts';
import { commandRequester, OPERATOR, withService } from './openService.ts';
import { print, printJson, progress, readSecret } from './terminal.ts';

interface Options extends ConfigOption, JsonOption { readonly generate?: boolean; readonly passwordStdin?: boolean }

/** As the back end spells it; unknown is refused before anybody types a password. */
export async function knownMailbox(address: string, { accounts, config }: Wiring): Promise<string> {
  const found = await accounts.find(address, { signal: AbortSignal.timeout(config.timeouts.accountsMs) });
  if (found === null) throw new ModuleError('ACCOUNT_NOT_FOUND');
  return found.address;
}

/** Rejects where the policy refuses it. */
async function mustBeTakeable(newPassword: string, address: string, { policy }: Wiring): Promise<void> {
  const verdict = validateRequest(setPasswordSchema(policy, address, await policyResources(policy, newPassword, 'command line')), { address, newPassword, passwordVersion: null });
  if ('value' in verdict) return;
  throw new ModuleError('PASSWORD_REJECTED', { fields: verdict.fields });
}

/** `mailbox-password set`: the support desk gives a mailbox a new password; it ends every session as in the Admin Panel. */
export function setCommand(): Command {
  return command('set', 'give a mailbox a new password and log it out everywhere', [
    'set alice@example.com', 'set alice@example.com --generate', 'set alice@example.com --password-stdin < /run/new-password',
  ])
    .argument('<mailbox>', 'full e-mail address', addressArgument)
    .option('--generate', 'make a password that the policy accepts, and print it once')
    .option('--password-stdin', 'read the new password from the standard input')
    .addOption(configOption()).addOption(jsonOption())
    .action(async (mailbox: string, options: Options) => {
      if (options.generate === true && options.passwordStdin === true) throw new CommandError('USAGE', '--generate or --password-stdin, not both.');
      await withService(options, async (wiring) => {
        if (wiring.config.readOnly) throw new ModuleError('READ_ONLY');
        const address = await knownMailbox(mailbox, wiring);
        const newPassword = options.generate === true ? generatePassword(wiring.policy, crypto, { address })
          : await readSecret({ question: `New password of ${address}`, fromStdin: options.passwordStdin === true, twice: true, judge: (typed) => mustBeTakeable(typed, address, wiring) });
        if (options.generate === true) await mustBeTakeable(newPassword, address, wiring);
        const steps = progress();
        steps.step(`Setting the password of ${address} and ending its sessions`);
        const result = await setMailboxPassword({
          administrator: OPERATOR.actor, actorKind: OPERATOR.actorKind, address, newPassword, isExpected: () => true, ...commandRequester('set'),
        }, useCaseDependencies(wiring)).finally(() => { steps.done(); });
        const password = options.generate === true ? { password: newPassword } : {};
        if (options.json === true) printJson({ address, ...result, ...password });
        else print(`${address}: the password is set. ${endedText(result)}${options.generate === true ? `\nNew password: ${newPassword}` : ''}`);
        exitForPending(result.pending);
      });
    });
}
