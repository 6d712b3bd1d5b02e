import { createContext, useContext } from 'react';
import { createTranslator, type Translator } from './translator.ts';

export const TranslatorContext = createContext<Translator>(createTranslator({}));

export const useTranslator = (): Translator => useContext(TranslatorContext);
