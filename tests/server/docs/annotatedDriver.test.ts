import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import driver from '../../fixtures/folderSessions.ts';
import { tempFolder } from '../../fixtures/service.ts';
import { describeSessionStore } from '../../suites/sessionStoreSuite.ts';
import { testContext } from '../drivers/sessions/driverContext.ts';

// The driver that docs/writing-a-driver.md explains is a real one: it passes the suite that it asks others to pass.
describeSessionStore('folder (the annotated one)', async () => {
  const folder = tempFolder();
  return {
    store: await driver.create(driver.options.validateSync({ folder }), testContext()), first: 'alice@example.test', second: 'bob@example.test', choosesIssuedAt: true,
    async open(address, issuedAt = Date.now()) {
      const file = join(folder, randomUUID());
      writeFileSync(file, JSON.stringify({ address, issuedAt }));
      return async () => existsSync(file);
    },
  };
});
