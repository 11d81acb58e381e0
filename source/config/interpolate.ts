/** `${NAME}` and `${NAME:-default}` in the configuration's strings (contract: Configuration). */

export type Interpolated = {
  text: string;
  /** The whole text was one `${…}`, so that it may stand for a number or a boolean. */
  whole: boolean;
  /** The variables whose values went in. */
  used: {name: string; value: string}[];
  /** Variables that are not set and have no default. */
  missing: string[];
  /** What is wrong with how it is written, or null. */
  malformed: string | null;
};

const beginning = /\$\$|\$\{/g;
const nameAndRest = /([A-Za-z_][A-Za-z0-9_]*)(:-|\})/y;

/** The index of the brace that closes a default; braces inside it are balanced. -1 if there is none. */
const endOfDefault = (text: string, from: number): number => {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && depth-- === 0) return at;
  }
  return -1;
};

/**
 * The text with its variables filled in. As in a shell, `:-` also takes the place of a variable that is set but
 * empty, and a default may hold variables of its own. `$$` is a dollar sign; any other `$` stays. What a variable
 * holds is not looked at again.
 */
export const interpolate = (text: string, env: NodeJS.ProcessEnv): Interpolated => {
  const result: Interpolated = {text: '', whole: false, used: [], missing: [], malformed: null};
  let at = 0;
  for (;;) {
    beginning.lastIndex = at;
    const found = beginning.exec(text);
    if (!found) break;
    result.text += text.slice(at, found.index);
    at = found.index + 2;
    if (found[0] === '$$') {
      result.text += '$';
      continue;
    }
    nameAndRest.lastIndex = at;
    const parsed = nameAndRest.exec(text);
    const end =
      parsed === null
        ? -1
        : parsed[2] === '}'
          ? nameAndRest.lastIndex - 1
          : endOfDefault(text, nameAndRest.lastIndex);
    if (parsed === null || end < 0) {
      result.malformed = `holds a \${ that is not \${NAME} or \${NAME:-default}; write $$ for a dollar sign`;
      return result;
    }
    const fallback = parsed[2] === '}' ? null : text.slice(nameAndRest.lastIndex, end);
    result.whole ||= found.index === 0 && end === text.length - 1;
    fillIn(result, parsed[1]!, fallback, env);
    at = end + 1;
  }
  result.text += text.slice(at);
  return result;
};

const fillIn = (
  result: Interpolated,
  name: string,
  fallback: string | null,
  env: NodeJS.ProcessEnv,
): void => {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined && (value !== '' || fallback === null)) {
    result.text += value;
    result.used.push({name, value});
  } else if (fallback === null) {
    result.missing.push(name);
  } else {
    const inner = interpolate(fallback, env);
    result.text += inner.text;
    result.used.push(...inner.used);
    result.missing.push(...inner.missing);
    result.malformed ??= inner.malformed;
  }
};
