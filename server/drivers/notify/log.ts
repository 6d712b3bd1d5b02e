import { object } from 'yup';
import type { Notifier } from '../../ports/notifier.ts';
import { defineNotifyDriver } from '../defineDriver.ts';

/** What would be sent, as log lines; for trying things out. */
export default defineNotifyDriver({
  name: 'log',
  summary: 'Writes each notice to the log instead of sending it; for trying things out.',
  options: object({}).noUnknown(),
  async create(_options, { name, log }): Promise<Notifier> {
    log.warn('Notices are written to the log and sent to nobody.');
    return {
      name,
      async send({ messageId, to, subject, language, text }) {
        log.info({ messageId, to, subject, language, text }, 'a notice that is not sent');
      },
      check: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  },
});
