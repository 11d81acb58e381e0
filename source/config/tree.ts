/** The configuration as a tree of plain values with the line that each came from, variables filled in. */
import {type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair} from 'yaml';
import {isSecretColumn} from '../secrets.js';
import {interpolate} from './interpolate.js';
import {type Path, type Problem, pathKey, pathText} from './problems.js';
import {urlSecrets} from './urls.js';

export type Tree = {
  value: unknown;
  problems: Problem[];
  /** Lines by `pathKey`. */
  lines: Map<string, number>;
  /** The spelling that the file uses, where it isn't the schema's (`collection`), by `pathKey`. */
  spelled: Map<string, string>;
  /** Paths of values that came whole from variables, with the variables' names. */
  fromVariables: Map<string, string[]>;
  /** Paths whose value is not known and has been reported. */
  reported: Path[];
  /** Secrets that came from the environment or from addresses. */
  canaries: string[];
  missing: string[];
};

const deepest = 32;
const mostNodes = 20_000;
const refusedKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** Values at these keys are addresses, which may hold a password. */
export const isUrlKey = (key: string | number | undefined): boolean => key === 'url' || key === 'endpoint';

/**
 * Reads a YAML document into a tree. Without `env` strings are taken as they are (an object given to the
 * library). Never throws: what it can't take is among the problems.
 */
export const treeOf = (
  document: Document,
  lineCounter: LineCounter | null,
  env: NodeJS.ProcessEnv | null,
): Tree => {
  const tree: Tree = {
    value: undefined,
    problems: [],
    lines: new Map(),
    spelled: new Map(),
    fromVariables: new Map(),
    reported: [],
    canaries: [],
    missing: [],
  };
  tree.value = new Walk(document, lineCounter, env, tree).value(document.contents as Node | null, []);
  return tree;
};

class Walk {
  private nodes = 0;
  constructor(
    private readonly document: Document,
    private readonly lineCounter: LineCounter | null,
    private readonly env: NodeJS.ProcessEnv | null,
    private readonly tree: Tree,
  ) {}

  /** The plain value of a node; undefined where it was reported. */
  value(node: Node | null, path: Path): unknown {
    const place = pathKey(path);
    if (!this.tree.lines.has(place)) this.mark(place, node);
    if (++this.nodes > mostNodes || path.length > deepest) {
      // Once is enough: an anchor that refers to itself would report without end. The whole is then unknown.
      if (this.nodes < Infinity)
        this.report([], `holds too much at ${pathText(path.slice(0, 3))}: anchors and nesting are limited`);
      this.nodes = Infinity;
      return undefined;
    }
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      return target === undefined
        ? this.report(path, `refers to *${node.source}, which no &${node.source} before it defines`)
        : this.value(target as Node, path);
    }
    if (isMap(node)) return this.map(node.items as Pair[], path);
    if (isSeq(node)) return node.items.map((item, index) => this.value(item as Node, [...path, index]));
    const value = isScalar(node) ? node.value : null;
    if (typeof value === 'string') return this.text(value, path);
    if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
    return this.report(path, 'is not a kind of value that a configuration can hold');
  }

  private map(pairs: Pair[], path: Path): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const seen = new Map<string, string>();
    for (const pair of pairs) {
      const key = pair.key as Node | null;
      if (!isScalar(key) || (typeof key.value === 'object' && key.value !== null)) {
        this.report(path, 'has a key that is not a word', key ?? undefined);
        continue;
      }
      const spelling = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      // Two spellings of one key, everywhere but where the user gives names.
      const name = spelling === 'collection' && path.join() !== 'stores' ? 'table' : spelling;
      const inner = [...path, name];
      if (refusedKeys.has(name)) {
        this.report(inner, 'is not allowed as a key', key);
        continue;
      }
      const earlier = seen.get(name);
      if (earlier !== undefined) {
        const place = pathKey(inner);
        const line = this.tree.lines.get(place);
        const text =
          earlier === spelling
            ? `is there twice${line === undefined ? '' : ` (first in line ${line})`}`
            : 'table and collection are two spellings of one key: give one of them';
        this.report(inner, text, key);
        continue;
      }
      seen.set(name, spelling);
      this.mark(pathKey(inner), key);
      if (name !== spelling) this.tree.spelled.set(pathKey(inner), spelling);
      result[name] = this.value(pair.value as Node | null, inner);
    }
    return result;
  }

  private text(text: string, path: Path): string | undefined {
    const key = path.findLast(part => typeof part === 'string');
    if (this.env === null) {
      this.noteSecrets(String(key), text, []);
      return text;
    }
    const filled = interpolate(text, this.env);
    if (filled.malformed) return this.report(path, filled.malformed);
    if (filled.missing.length > 0) {
      this.tree.missing.push(...filled.missing);
      for (const name of filled.missing) this.report(path, `the environment variable ${name} is not set`);
      return undefined;
    }
    if (filled.whole)
      this.tree.fromVariables.set(
        pathKey(path),
        filled.used.map(({name}) => name),
      );
    this.noteSecrets(String(key), filled.text, filled.used);
    return filled.text;
  }

  private noteSecrets(key: string, text: string, used: {name: string; value: string}[]): void {
    if (isUrlKey(key)) this.tree.canaries.push(...urlSecrets(text));
    if (key === 'salt' && text !== '') this.tree.canaries.push(text);
    for (const {name, value} of used) if (isSecretColumn(name)) this.tree.canaries.push(value);
  }

  private mark(place: string, node: Node | null): void {
    const offset = node?.range?.[0];
    if (this.lineCounter && offset !== undefined)
      this.tree.lines.set(place, this.lineCounter.linePos(offset).line);
  }

  private report(path: Path, text: string, node?: Node): undefined {
    const offset = node?.range?.[0];
    const line =
      this.lineCounter && offset !== undefined
        ? this.lineCounter.linePos(offset).line
        : lineOf(this.tree, path);
    this.tree.problems.push({path, text, line});
    this.tree.reported.push(path);
    return undefined;
  }
}

/** The line of a path, or of the nearest thing around it that has one. */
export const lineOf = (tree: Pick<Tree, 'lines'>, path: Path): number | undefined => {
  for (let length = path.length; length >= 0; length--) {
    const line = tree.lines.get(pathKey(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return undefined;
};

/** The path as the file spells it. */
export const asSpelled = (tree: Pick<Tree, 'spelled'>, path: Path): Path =>
  path.map((part, index) => tree.spelled.get(pathKey(path.slice(0, index + 1))) ?? part);

/** The value at a path of a tree, undefined where there is none. */
export const valueAtPath = (value: unknown, path: Path): unknown => {
  let inner = value;
  for (const part of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, part)) return undefined;
    inner = (inner as Record<string | number, unknown>)[part];
  }
  return inner;
};
