/** What the schema says is wrong, in words for the person who wrote the file. */
import type {z} from 'zod';
import {masked} from '../secrets.js';
import {knownKeys} from './known-keys.js';
import {nearest, orList} from './nearest.js';
import {type Path, type Problem, pathKey} from './problems.js';
import {asSpelled, isUrlKey, lineOf, type Tree, valueAtPath} from './tree.js';
import {maskUrl} from './urls.js';

type Issue = z.core.$ZodIssue;

const longestShown = 60;
const durationKey = /^(?:refresh|timeout|\w+After)$/;

const kinds: Record<string, string> = {
  string: 'text (put it in quotes)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
};

/** The value as the message shows it; secrets and the passwords of addresses masked. */
const shown = (value: unknown, path: Path): string => {
  const key = path.at(-1);
  if (key === 'salt') return masked;
  if (typeof value === 'string' && isUrlKey(key)) return value === '' ? '""' : maskUrl(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a map';
  const text = JSON.stringify(value) ?? '';
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}…`;
};

/** Problems of the tree from the schema's issues; those of values that were already reported are left out. */
export const problemsOf = (tree: Tree, issues: readonly Issue[]): Problem[] =>
  issues
    .filter(issue => !tree.reported.some(path => path.every((part, index) => issue.path[index] === part)))
    .flatMap(issue =>
      issue.code === 'unrecognized_keys' ? unknownKeys(tree, issue) : [problemOf(tree, issue)],
    );

const problemOf = (tree: Tree, issue: Issue): Problem => {
  const path = issue.path as Path;
  const variables = tree.fromVariables.get(pathKey(path)) ?? [];
  const source = variables.length === 0 ? '' : ` (from ${variables.join(', ')})`;
  return {path: asSpelled(tree, path), line: lineOf(tree, path), text: textOf(tree, issue, path) + source};
};

const textOf = (tree: Tree, issue: Issue, path: Path): string => {
  const value = valueAtPath(tree.value, path);
  if (value === undefined) return missingText(issue, path);
  if (value === null) return 'is empty: give it a value, or remove the key';
  const subject = shown(value, path);
  switch (issue.code) {
    case 'invalid_type':
      if (issue.expected === 'string' && durationKey.test(String(path.at(-1))))
        return `${subject} is not a duration like 90s, 15m, 2h or 7d`;
      return `${subject} is not ${kinds[issue.expected] ?? issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      if (issue.origin === 'array') return 'must not be an empty list';
      return `${subject} must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      return `${subject} must be at most ${issue.maximum}`;
    case 'invalid_value':
      return notOneOf(subject, value, issue.values.map(String));
    case 'invalid_union':
      return notOneOf(subject, value, ((issue as {options?: unknown[]}).options ?? []).map(String));
    case 'invalid_key':
      return `this name ${issue.issues[0]?.message ?? 'is not allowed'}`;
    default:
      return `${subject} ${issue.message}`;
  }
};

const missingText = (issue: Issue, path: Path): string => {
  if (issue.code === 'invalid_union') {
    const options = ((issue as {options?: unknown[]}).options ?? []).map(String);
    return `is missing: it is ${orList(options)}`;
  }
  if (path.at(-1) === 'table') return 'is missing (a table, or a collection: both spellings will do)';
  if (path.at(-1) === 'groupBy') return 'is missing: a list of the columns in which duplicates are equal';
  return 'is missing';
};

const notOneOf = (subject: string, value: unknown, options: readonly string[]): string => {
  const near = typeof value === 'string' ? nearest(value, options) : undefined;
  return `${subject} is not ${orList(options)}${near ? `: did you mean ${near}?` : ''}`;
};

const unknownKeys = (tree: Tree, issue: Extract<Issue, {code: 'unrecognized_keys'}>): Problem[] => {
  const path = issue.path as Path;
  const known = knownKeys(tree.value, path);
  const spellings = known.includes('table') ? [...known, 'collection'] : known;
  return issue.keys.map(key => {
    const inner = [...path, key];
    const spelled = asSpelled(tree, inner);
    const near = nearest(String(spelled.at(-1)), spellings);
    const suggestion = near ? `: did you mean ${near}?` : '';
    const note = key === '<<' ? ' (merge keys are not supported; an alias of a whole value is)' : '';
    return {
      path: spelled,
      line: lineOf(tree, inner),
      text: `is not a known key${suggestion} (known here: ${known.join(', ')})${note}`,
    };
  });
};
