import { wiredToEmbedded, wiredToMariaDb } from '../fixtures/panelWorlds.ts';
import { panelsCareSuite } from '../suites/panelsCareSuite.ts';

describe('embedded', () => { panelsCareSuite(wiredToEmbedded); });
describe('sql on MariaDB', () => { panelsCareSuite(wiredToMariaDb); });
