import { wiredToEmbedded, wiredToMariaDb } from '../fixtures/panelWorlds.ts';
import { panelsGuardSuite } from '../suites/panelsGuardSuite.ts';

describe('embedded', () => { panelsGuardSuite(wiredToEmbedded); });
describe('sql on MariaDB', () => { panelsGuardSuite(wiredToMariaDb); });
