/** The guards as a script for mongosh, which runs without sesstui, any number of times. Pure. */
import {EJSON} from 'bson';
import type {GuardDirection} from '../../../source/guards.js';
import {sanitise} from '../../../source/sanitise.js';
import type {MongoRule} from './rules.js';
import {demandOf} from './schema.js';
import {downOfUnique, downOfValid, upOfUnique, upOfValid} from './script-bodies.js';
import {exactOf, type Seen} from './seen.js';
import {asItWas, type Before, indexName, uniqueCapture} from './unique-id.js';
import {validCapture} from './valid-id.js';

/** `seen` is null where the server could not be asked. */
type ScriptPart = {guard: string; rule: MongoRule; seen: Seen | null};

/** A literal of JavaScript: JSON, but for the one name that an object literal takes for its prototype. */
export const literal = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/"__proto__":/g, '["__proto__"]:');

/** Text that EJSON reads, for what may hold types that JSON doesn't have. */
const extended = (exact: unknown): string =>
  exact === null ? 'null' : `EJSON.parse(${literal(EJSON.stringify(exact as object, {relaxed: false}))})`;

const comment = (lines: string[]): string => lines.map(line => `// ${sanitise(line)}`.trimEnd()).join('\n');

const about: Record<MongoRule['rule'], Record<GuardDirection, (rule: MongoRule) => string[]>> = {
  'unique-id': {
    install: ({id}) => [
      `Makes a unique index on ${id}. Where the server can (MongoDB 6.0), an index that is there becomes unique in`,
      'place; elsewhere it is replaced. Documents that share an id, or several without one, are in its way: it then stops',
      'with an error and leaves the indexes as they were. Mend the documents first (sesstui clean), and run it again.',
    ],
    uninstall: () => [
      'Takes the unique index away. What it replaced, as it was when this script was written, is put back.',
    ],
  },
  'valid-id': {
    install: ({id}) => [
      `Puts a validator on the collection by which ${id} has to be text and not empty. A validator that is there is kept`,
      'beside it. It is moderate while documents violate it (these can still be changed), and strict once none does: run',
      'it again when they are mended.',
    ],
    uninstall: () => [
      'Takes the demand for the id out of the validator, and leaves what else is in it, at the level and with the action',
      'that it had when this script was written.',
    ],
  },
};

const placeOf = (database: string, {table, id}: MongoRule): string =>
  [
    `  const database = db.getSiblingDB(${literal(database)});`,
    `  const name = ${literal(table)};`,
    `  const id = ${literal(id)};`,
  ].join('\n');

const bodyOf = ({rule, seen}: ScriptPart, direction: GuardDirection): string => {
  if (rule.rule === 'unique-id') {
    const index = `  const index = ${literal(indexName(rule.id))};`;
    if (direction === 'install') {
      const spec = {
        key: {[rule.id]: 1},
        name: indexName(rule.id),
        ...(seen?.collated && {collation: {locale: 'simple'}}),
      };
      return `${index}\n  const spec = ${literal(spec)};\n${upOfUnique}`;
    }
    const before = seen && (uniqueCapture(seen, rule) as Before);
    const old = before?.index ? asItWas(seen!.collated, exactOf(before.index)) : null;
    const others = (before?.others ?? []).map(other => extended(asItWas(seen!.collated, exactOf(other))));
    const isNew = seen !== null && !seen.indexes.some(({name}) => name === indexName(rule.id));
    return `${index}\n  const isNew = ${!old && isNew};\n  const old = ${extended(old)};\n  const others = [${others.join(', ')}];\n${downOfUnique}`;
  }
  const demand = `  const demand = ${literal(demandOf(rule.id))};`;
  if (direction === 'install') return `${demand}\n${upOfValid}`;
  const before = seen ? (validCapture(seen, rule) as {level: string; action: string}) : null;
  return `${demand}\n  const level = ${literal(before?.level ?? 'strict')};\n  const action = ${literal(before?.action ?? 'error')};\n${downOfValid}`;
};

/** `mongosh "$MONGODB_URI" FILE` */
export const scriptOf = (database: string, parts: ScriptPart[], direction: GuardDirection): string =>
  parts
    .map(part => {
      const {guard, rule} = part;
      const header = comment([
        `${guard} of ${database}.${rule.table}: ${direction === 'install' ? 'up' : 'down'}. Run it with: mongosh "$MONGODB_URI" FILE`,
        ...about[rule.rule][direction](rule),
        'It can be run any number of times.',
      ]);
      return `${header}\n(() => {\n${placeOf(database, rule)}\n${bodyOf(part, direction)}\n})();\n`;
    })
    .join('\n');
