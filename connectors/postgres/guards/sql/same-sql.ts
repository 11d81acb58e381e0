/**
 * Whether two conditions or expressions say the same, one in our words and one in the server's (pg_get_indexdef,
 * pg_get_expr). They may differ in parentheses, quotes, casts to text, and in how "is one of these" is spelt.
 */

type Token = {kind: 'word' | 'name' | 'text' | 'number' | 'sign'; text: string; items?: string[]};

const pattern =
  /\s+|(E?)'((?:[^'\\]|''|\\.)*)'|"((?:[^"]|"")*)"|([\p{L}_][\w$\p{L}]*)|(\d[\d.]*)|(::|<>|<=|>=|!=|\|\||->>|->|#>>|#>|[^\s\w])/gsu;

const words = /^(?:and|or|not|any|collate|in|is|null|case|when|then|else|end|array)$/;
const escapes: Record<string, string> = {t: '\t', n: '\n', f: '\f', r: '\r', b: '\b'};

const literalText = (isEscaped: boolean, body: string): string => {
  const text = body.replaceAll("''", "'");
  if (!isEscaped) return text;
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, other: string) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : (escapes[other] ?? other),
  );
};

/** Parentheses are left out: the server writes all that there could be. */
const tokensOf = (sql: string): Token[] =>
  [...sql.matchAll(pattern)].flatMap(([, escaped, body, quoted, word, number, sign]): Token[] => {
    if (body !== undefined) return [{kind: 'text', text: literalText(escaped === 'E', body)}];
    if (quoted !== undefined) return [{kind: 'name', text: quoted.replaceAll('""', '"')}];
    if (number !== undefined) return [{kind: 'number', text: number}];
    if (sign !== undefined) return sign === '(' || sign === ')' ? [] : [{kind: 'sign', text: sign}];
    if (word === undefined) return [];
    const text = word.toLowerCase();
    return [{kind: words.test(text) ? 'word' : 'name', text}];
  });

const isSign = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'sign' && token.text === text;
const isWord = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'word' && token.text === text;

const textTypes = new Set(['text', 'varchar', 'character varying', 'bpchar', 'character', 'name']);

/** The type that is named from `at` on, and where it ends. */
const typeAt = (tokens: Token[], at: number): {type: string; end: number} => {
  const names = [tokens[at]!.text];
  let end = at + 1;
  while (isSign(tokens[end], '.') && tokens[end + 1]?.kind === 'name') {
    names[0] = tokens[end + 1]!.text;
    end += 2;
  }
  if (names[0] === 'character' && tokens[end]?.text === 'varying') names.push(tokens[end++]!.text);
  if (tokens[end]?.kind === 'number') end++;
  if (isSign(tokens[end], '[') && isSign(tokens[end + 1], ']')) end += 2;
  return {type: names.join(' '), end};
};

/** Casts to text change nothing in what is equal; those of a constant only say what it is. */
const withoutCasts = (tokens: Token[]): Token[] => {
  const kept: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const cast = isSign(tokens[at], '::') && tokens[at + 1]?.kind === 'name' ? typeAt(tokens, at + 1) : null;
    const ofConstant = kept.at(-1)?.kind === 'text' || isSign(kept.at(-1), ']');
    if (cast && (ofConstant || textTypes.has(cast.type))) at = cast.end - 1;
    else if (tokens[at]!.text === 'pg_catalog' && isSign(tokens[at + 1], '.')) at++;
    else kept.push(tokens[at]!);
  }
  return kept;
};

const arrayItems = (text: string): string[] | null => {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1];
  if (inner === undefined) return null;
  return [...inner.matchAll(/"((?:[^"\\]|\\.)*)"|([^,"]+)/gs)].map(([, quoted, bare]) =>
    quoted === undefined ? bare! : quoted.replaceAll(/\\(.)/gs, '$1'),
  );
};

/** Constants from `at` on with commas in between, and where they end. */
const constantsAt = (tokens: Token[], at: number): {items: string[]; end: number} => {
  const items: string[] = [];
  let end = at;
  while (tokens[end]?.kind === 'text') {
    items.push(tokens[end++]!.text);
    if (!isSign(tokens[end], ',') || tokens[end + 1]?.kind !== 'text') break;
    end++;
  }
  return {items, end};
};

/** `= 'a'`, `= any ('{a,b}')`, `= any (array['a', 'b'])` and `in ('a', 'b')` from `at` on, as the same list. */
const listAt = (tokens: Token[], at: number): {items: string[]; end: number} | null => {
  if (isWord(tokens[at], 'in')) return constantsAt(tokens, at + 1);
  if (!isSign(tokens[at], '=')) return null;
  if (!isWord(tokens[at + 1], 'any')) {
    const constant = tokens[at + 1];
    return constant?.kind === 'text' ? {items: [constant.text], end: at + 2} : null;
  }
  const next = tokens[at + 2];
  if (next?.kind === 'text') {
    const items = arrayItems(next.text);
    return items && {items, end: at + 3};
  }
  if (!isWord(next, 'array') || !isSign(tokens[at + 3], '[')) return null;
  const {items, end} = constantsAt(tokens, at + 4);
  return isSign(tokens[end], ']') ? {items, end: end + 1} : null;
};

const canonical = (sql: string): string => {
  const tokens = withoutCasts(tokensOf(sql));
  const parts: unknown[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const list = listAt(tokens, at);
    if (list) {
      parts.push(['one of', ...new Set(list.items)].sort());
      at = list.end - 1;
    } else parts.push(`${tokens[at]!.kind} ${tokens[at]!.text}`);
  }
  return JSON.stringify(parts);
};

/** Without parentheses, these two words together would leave open what belongs to what. */
const isMixed = (sql: string): boolean => /\band\b/i.test(sql) && /\bor\b/i.test(sql);

/** True only where both say the same; what can't be told from their words alone is not the same. */
export const sameSql = (a: string | null, b: string | null): boolean => {
  if (a === null || b === null) return a === b;
  return a === b || (!isMixed(a) && canonical(a) === canonical(b));
};

/** A body's text without what makes no difference to it: line ends and the spaces around. */
export const plainSource = (source: string): string => source.trim().replaceAll(/\s+/g, ' ');
