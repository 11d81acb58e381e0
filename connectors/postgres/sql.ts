/** The pieces that statements are put together from: quoting and bound values. */

import pg from 'pg';

export type Statement = {text: string; values: unknown[]};

/** An identifier that was found in the catalogue, quoted. */
export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A constant of this program (never a user's value) as a literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A body of a function, between dollars that it does not hold itself. */
export const dollarQuoted = (text: string): string => {
  let tag = '$sesstui$';
  for (let number = 1; text.includes(tag); number++) tag = `$sesstui${number}$`;
  return `${tag}${text}${tag}`;
};

/** Collects bound values; the same value under the same type gets the same number, so that GROUP BY sees one expression. */
export class Binder {
  private readonly values: unknown[] = [];
  readonly #numbers = new Map<string, number>();

  bind(value: string | number | null | (string | null)[], type: string): string {
    const name = `${type} ${JSON.stringify(value)}`;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.values.push(value);
      this.#numbers.set(name, number);
    }
    return `$${number}::${type}`;
  }

  /** The statement with only the values that it uses: what was compiled and then not needed would have no type. */
  statement(text: string): Statement {
    const used: unknown[] = [];
    const numbers = new Map<string, number>();
    const renumbered = text.replaceAll(quotedOrNumber, (whole, number?: string) => {
      if (number === undefined) return whole;
      if (!numbers.has(number)) numbers.set(number, used.push(this.values[Number(number) - 1]));
      return `$${numbers.get(number)}`;
    });
    return {text: renumbered, values: used};
  }
}

/** Names and literals are passed over, whatever they hold; else the number of a bound value. */
const quotedOrNumber = /"(?:[^"]|"")*"|'(?:[^']|'')*'|\$(\d+)/g;

/** Could a stored text be this? NUL and lone surrogates can't be sent, and no stored text holds them. */
export const isStorable = (text: string): boolean => !text.includes('\0') && !/\p{Surrogate}/u.test(text);

/** What JavaScript's trim() takes off: its white space and line terminators. */
export const jsWhitespace =
  "E'\\t\\n\\u000b\\f\\r \\u00a0\\u1680\\u2000\\u2001\\u2002\\u2003\\u2004\\u2005\\u2006\\u2007\\u2008\\u2009\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff'";

const arrayText = (items: (string | null)[]): string =>
  `{${items.map(item => (item === null ? 'NULL' : `"${item.replaceAll(/["\\]/g, '\\$&')}"`)).join(',')}}`;

const valueLiteral = (value: unknown): string => {
  if (value === null || value === undefined) return 'null';
  return pg.escapeLiteral(Array.isArray(value) ? arrayText(value as (string | null)[]) : String(value));
};

/**
 * A statement with its values written into it, for where PostgreSQL takes no parameters (DECLARE CURSOR). Each
 * stands where its `$n::type` stood, quoted by pg; what is quoted already is passed over.
 */
export const withValues = ({text, values}: Statement): string =>
  text.replaceAll(quotedOrNumber, (part, number?: string) =>
    number === undefined ? part : valueLiteral(values[Number(number) - 1]),
  );
