const NONE = /\p{Mark}|\p{Default_Ignorable_Code_Point}/u;
// East Asian Wide and Fullwidth (UAX 11), the blocks that texts use, and pictures.
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Columns that a text takes, roughly: 1 a character, 2 a wide one, 0 a mark above or below another; a placeholder counts 8. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text.replaceAll(/\{\{\w+\}\}/g, '12345678')) width += NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}
