/** Loads the configuration: finds it, reads it, fills in variables, checks it, and says all that is wrong at once. */
import path from 'node:path';
import {Document} from 'yaml';
import {SesstuiError} from '../errors.js';
import {crossCheck} from './cross-checks.js';
import {parseText} from './document.js';
import {parseDuration} from './duration.js';
import {problemsOf} from './issues.js';
import {locateConfig, readConfigText} from './locate.js';
import {type Path, type Problem, pathKey, problemLines} from './problems.js';
import {type Config, configSchema} from './schema.js';
import {type Tree, treeOf, valueAtPath} from './tree.js';

export type LoadedConfig = {
  config: Config;
  /** Where it came from: a file's absolute path, or words for an object. */
  file: string;
  /** Secret values that came from the environment or from addresses, for the redactor. */
  canaries: string[];
};

/** What the command line's flags change: `--read-only` and `--timeout`. */
export type Overrides = {readOnly?: true; timeout?: string};

/** Variables that hold a secret wherever they are set: drivers read them without the configuration naming them. */
const secretVariables = ['PGPASSWORD', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'SESSTUI_TOKEN'];

/**
 * The configuration of `file` (`--config`), or of the first place that has one (see locate.ts).
 * Throws `config` with every problem on a line of its own.
 */
export const loadConfig = async (options: {
  file?: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  overrides?: Overrides;
}): Promise<LoadedConfig> => {
  const file = await locateConfig(options);
  const text = await readConfigText(file);
  const relative = path.relative(options.cwd, file);
  const shown = relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
  const loaded = parseConfig(text, shown, options.env);
  return {...loaded, file, config: override(loaded.config, options.overrides)};
};

/** The configuration that a text holds; `file` is what messages call it. Throws `config` as `loadConfig` does. */
export const parseConfig = (text: string, file: string, env: NodeJS.ProcessEnv): LoadedConfig => {
  const {document, lineCounter, problems} = parseText(text);
  if (problems.length > 0) throw configError(file, problems, [], []);
  if (document.contents === null)
    throw configError(file, [{path: [], text: 'is empty'}], [], [], 'Write one with `sesstui init`.');
  const tree = treeOf(document, lineCounter, env);
  for (const name of secretVariables) if (env[name]) tree.canaries.push(env[name]);
  return {config: check(tree, file), file, canaries: [...new Set(tree.canaries)]};
};

/** The configuration that an object holds, for the library. Strings are taken as they are: `${…}` is not filled in. */
export const configFromObject = (object: unknown, file = 'configuration'): LoadedConfig => {
  const document = new Document();
  try {
    document.contents = document.createNode(object) as Document['contents'];
  } catch (error) {
    throw new SesstuiError(
      'config',
      `${file}: is not a plain object.`,
      'Give the object that the file would hold.',
      error,
    );
  }
  const tree = treeOf(document, null, null);
  return {config: check(tree, file), file, canaries: [...new Set(tree.canaries)]};
};

const check = (tree: Tree, file: string): Config => {
  if (tree.reported.length === 0 && !isMap(tree.value))
    throw configError(file, [{path: [], text: 'is not a map of keys and values (stores: …)'}], [], []);
  // For editors, in a JSON file: which schema it follows.
  if (isMap(tree.value)) delete tree.value.$schema;
  let result = configSchema.safeParse(tree.value);
  if (!result.success && mend(tree, result.error.issues)) result = configSchema.safeParse(tree.value);
  const problems = [...tree.problems, ...crossCheck(tree)];
  if (!result.success) problems.push(...problemsOf(tree, result.error.issues));
  if (problems.length > 0 || !result.success) throw configError(file, problems, tree.canaries, tree.missing);
  return result.data;
};

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sections that may be left empty, as they are when all that was in them is commented out. */
const mayBeEmpty = new Set([
  'checks',
  'identities',
  'limits',
  'secrets',
  'unordered',
  'payload',
  'sessions',
  'requests',
  'columns',
  'statuses',
  'fingerprint',
  'stores',
]);

/**
 * Mends what the schema refuses only for its spelling: a number or a boolean that came whole from a variable, and
 * a section with nothing in it. True if something was mended.
 */
const mend = (
  tree: Tree,
  issues: readonly {code: string; path: PropertyKey[]; expected?: string}[],
): boolean => {
  let mended = false;
  for (const issue of issues) {
    const place = issue.path as Path;
    const parent = valueAtPath(tree.value, place.slice(0, -1)) as
      | Record<string | number, unknown>
      | undefined;
    const key = place.at(-1);
    if (issue.code !== 'invalid_type' || key === undefined || parent === undefined) continue;
    if (parent[key] === null && mayBeEmpty.has(String(key)) && place.length !== 2) {
      if (key === 'stores') parent[key] = {};
      else delete parent[key];
      mended = true;
    } else if (tree.fromVariables.has(pathKey(place))) {
      const value = fromText(String(parent[key]), issue.expected ?? '');
      mended ||= value !== undefined;
      if (value !== undefined) parent[key] = value;
    }
  }
  return mended;
};

const fromText = (text: string, expected: string): number | boolean | undefined => {
  if (expected === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  if (expected !== 'number' && expected !== 'int') return undefined;
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
};

const override = (config: Config, overrides: Overrides = {}): Config => {
  const {timeout} = overrides;
  if (timeout !== undefined)
    try {
      parseDuration(timeout);
    } catch (error) {
      throw new SesstuiError(
        'usage',
        `--timeout: ${(error as Error).message}.`,
        'For example --timeout 30s.',
        error,
      );
    }
  const stores = Object.entries(config.stores).map(([name, store]) => [
    name,
    timeout ? {...store, timeout} : store,
  ]);
  return {...config, ...(overrides.readOnly ? {readOnly: true} : {}), stores: Object.fromEntries(stores)};
};

const configError = (
  file: string,
  problems: readonly Problem[],
  canaries: readonly string[],
  missing: readonly string[],
  hint = 'Correct the configuration, then try again.',
): SesstuiError => {
  const names = [...new Set(missing)];
  const advice =
    names.length === 0
      ? hint
      : `Set ${names.join(', ')} in the environment, or write a default: \${${names[0]}:-…}.`;
  return new SesstuiError('config', problemLines(file, problems, canaries), advice);
};
