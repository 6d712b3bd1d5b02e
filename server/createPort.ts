import { type DriverSection, ENTRY_KEYS } from './config/configKeys.ts';
import { ConfigError } from './config/configProblem.ts';
import { driverOptions } from './config/judgeDrivers.ts';
import type { Driver, DriverContext } from './drivers/defineDriver.ts';

/** One entry of the configuration, judged before, as the port that its driver serves. */
export async function createPort<Port, Context extends DriverContext = DriverContext>(drivers: Readonly<Record<string, Driver<Port, object, Context>>>, section: DriverSection, entry: { readonly driver: string }, context: Context): Promise<Port> {
  const driver = drivers[entry.driver];
  if (driver === undefined) throw new ConfigError([`${section}: there is no driver ${entry.driver}; ${ENTRY_KEYS[section].join(', ')} stand beside its options`]);
  return driver.create(driver.options.validateSync(driverOptions(section, { ...entry }), { strict: true, abortEarly: false }), context);
}
