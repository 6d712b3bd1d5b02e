import { createContext } from 'react';

/** Shows the page in another language; rejects where its texts cannot be fetched, and then nothing has changed. */
export const ChooseLanguageContext = createContext<(tag: string) => Promise<void>>(() => Promise.resolve());
