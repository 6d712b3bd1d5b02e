export { createTranslator, type MessageKey, type Translator } from '../../module/texts/translator.ts';
