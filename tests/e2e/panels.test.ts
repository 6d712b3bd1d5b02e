import { panelsOnEmbedded } from '../fixtures/panelWorlds.ts';
import { panelsSuite } from '../suites/panelsSuite.ts';

panelsSuite(panelsOnEmbedded);
