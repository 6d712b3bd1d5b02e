import { type RawBuilder, sql } from 'kysely';
import { string } from 'yup';

/** A table's or column's name as it stands in the database; Kysely quotes it. */
export const sqlName = () => string().matches(/^[^\0-\x1f"`\s][^\0-\x1f"`]{0,127}$/u, '${path} must be a name, without quotes');

/** Texts in quotes, comments and `::casts` come first, so that no colon inside them is taken for a parameter. */
const PIECES = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|::|:[A-Za-z_]\w*|[^'"`:/-]+|[\s\S]/g;
const PARAMETER = /^:[A-Za-z_]\w*$/;

/** The named parameters (`:address`) of an operator's statement. */
export const parametersOf = (statement: string): readonly string[] =>
  [...new Set((statement.match(PIECES) ?? []).filter((piece) => PARAMETER.test(piece)).map((piece) => piece.slice(1)))];

/** An operator's statement with its named parameters bound, never written into the text. */
export function bindStatement<Row>(statement: string, values: Readonly<Record<string, unknown>>): RawBuilder<Row> {
  const parts = (statement.match(PIECES) ?? []).map((piece) => {
    if (!PARAMETER.test(piece)) return sql.raw(piece);
    const name = piece.slice(1);
    if (!Object.hasOwn(values, name)) throw new Error(`the statement names a parameter that is not known: ${piece}`);
    return sql`${values[name]}`;
  });
  return sql<Row>`${sql.join(parts, sql.raw(''))}`;
}
