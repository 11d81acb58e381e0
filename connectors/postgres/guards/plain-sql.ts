/**
 * An SQL expression without what a server adds or leaves out when it tells one from its catalogue: casts, aliases,
 * quotes and parentheses that change nothing. Two that are equal so mean the same as long as neither mixes AND and OR
 * at one level.
 */
const pieces = /E?'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|::|\d+|\S/gu;

/** After these a parenthesis only groups. */
const grouping = new Set(['select', 'and', 'or', 'not', 'is', 'as', 'from', 'where', 'in', 'distinct']);

const isName = (piece: string | undefined): boolean =>
  piece !== undefined && /^["\p{L}_]/u.test(piece) && !grouping.has(piece);

/** `E'\t'` as the server shows it: with the character itself. */
const unescaped = (piece: string): string =>
  piece.startsWith("E'") ? `'${JSON.parse(`"${piece.slice(2, -1)}"`)}'` : piece;

const plainPiece = (piece: string): string => {
  if (piece.startsWith('"')) return piece.slice(1, -1).replaceAll('""', '"');
  return piece.includes("'") ? unescaped(piece) : piece.toLowerCase();
};

/** Without `::text`, `::character varying`, `::varchar(20)`. */
const withoutCasts = (list: string[]): string[] => {
  const kept: string[] = [];
  for (let at = 0; at < list.length; at++) {
    if (list[at] !== '::') {
      kept.push(list[at]!);
      continue;
    }
    at++;
    while (list[at + 1] === '.') at += 2;
    if (list[at + 1] === 'varying') at++;
    if (list[at + 1] === '(' && /^\d/.test(list[at + 2] ?? '')) at += 3;
  }
  return kept;
};

/** Only the parentheses of calls. */
const withoutGrouping = (list: string[]): string[] => {
  const kept: string[] = [];
  const calls: boolean[] = [];
  for (const [at, piece] of list.entries()) {
    if (piece === '(') calls.push(isName(list[at - 1]));
    const isCall = piece === ')' ? calls.pop() : calls.at(-1);
    if ((piece !== '(' && piece !== ')') || isCall) kept.push(piece);
  }
  return kept;
};

/** The expression in a form to compare; null stays null. */
export const plainSql = (text: string | null): string | null => {
  if (text === null) return null;
  const list = withoutCasts((text.match(pieces) ?? []).map(plainPiece)).filter(
    (piece, at, all) =>
      !(piece === 'pg_catalog' || (piece === '.' && all[at - 1] === 'pg_catalog')) &&
      piece !== 'as' &&
      all[at - 1] !== 'as',
  );
  return withoutGrouping(list).join(' ');
};
