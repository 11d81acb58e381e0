/** What `sorted` and `unique` are for, tried on a scratch copy: the registry's own test list. */
import {columnOf} from '../../catalogue.js';
import {ident, literal} from '../../sql.js';
import {proof} from '../proof.js';
import type {RuleOf, RuleProof, Scratch} from '../rule.js';
import {constraintName} from './names.js';
import {type Samples, samplesFor} from './samples.js';
import {sortedScript, uniqueScript} from './script.js';

const atOnce = 8;

const empty = (scratch: Scratch) => scratch.query(`truncate ${scratch.sql}`);

const counted = async ({query, sql}: Scratch): Promise<number> =>
  Number((await query(`select count(*) from ${sql}`))[0]![0]);

export async function* proveSorted({columns}: RuleOf<'sorted'>, scratch: Scratch): AsyncGenerator<RuleProof> {
  const samples = await samplesFor(scratch);
  const {query, sql} = scratch;
  await scratch.install();
  for (const column of columns) {
    const stored = async (...ns: number[]): Promise<string | null> => {
      const [row] = await query(
        `select ${ident(column)} is not distinct from ${samples.array(column, ns)}, ${ident(column)}::text from ${sql}`,
      );
      return row![0] === 't' ? null : `stored: ${row![1]}`;
    };
    yield await proof(`${column} is sorted when a row is inserted`, async () => {
      await query(samples.insert({[column]: samples.array(column, [3, 1, 2, 1])}));
      return stored(1, 1, 2, 3);
    });
    yield await proof(`${column} is sorted when a row is updated`, async () => {
      await query(`update ${sql} set ${ident(column)} = ${samples.array(column, [2, 3, 1])}`);
      return stored(1, 2, 3);
    });
    yield await proof(`${column} without elements stays so`, async () => {
      await query(`update ${sql} set ${ident(column)} = ${samples.array(column, [])}`);
      return stored();
    });
    await empty(scratch);
  }
}

type Keys = {
  insert: (ns: number[], other?: string) => string;
  /** A plain column of the key. */
  plain: string[];
};

const keysOf = (rule: RuleOf<'unique'>, samples: Samples): Keys => {
  const plain = rule.columns.filter(name => !rule.unordered.includes(name));
  return {
    plain,
    insert: (ns, other) =>
      samples.insert(
        Object.fromEntries(
          rule.columns.map(name => [
            name,
            rule.unordered.includes(name)
              ? samples.array(name, ns)
              : samples.value(name, name === other ? 2 : 1),
          ]),
        ),
      ),
  };
};

const refusal = async (work: Promise<unknown>, constraint: string): Promise<string | null> => {
  try {
    await work;
  } catch (error) {
    const {code, constraint: named, message} = error as {code?: string; constraint?: string; message: string};
    return code === '23505' && named === constraint ? null : `refused, but not by ${constraint}: ${message}`;
  }
  return 'it was stored';
};

const both = async (scratch: Scratch, first: string, second: string): Promise<string | null> => {
  await empty(scratch);
  await scratch.query(first);
  await scratch.query(second);
  return (await counted(scratch)) === 2 ? null : 'not both are there';
};

/** The script, on a table that has what it is to mend. */
async function* proveMigration(
  rule: RuleOf<'unique'>,
  scratch: Scratch,
  keys: Keys,
): AsyncGenerator<RuleProof> {
  const {place, sql} = scratch;
  const scripted = {name: rule.table, table: place.table, lower: place.lower};
  const sorts = {rule: 'sorted', table: rule.table, columns: rule.unordered} as const;
  yield await proof(
    'the migration runs on a table that has duplicates, and leaves the first of each',
    async () => {
      await scratch.transaction([
        keys.insert([2, 1, 3]),
        keys.insert([1, 2, 3]),
        keys.insert([3, 2, 1]),
        keys.insert([1, 2]),
      ]);
      // What a row has besides its key tells which one it is, also when its arrays are sorted and it has moved.
      const besides = `to_jsonb(t.*) - array[${rule.columns.map(literal).join(', ')}]`;
      const [first] = await scratch.query(
        `select (${besides})::text from ${sql} t order by tableoid, ctid limit 1`,
      );
      const statements = [
        ...(rule.unordered.length > 0 ? sortedScript(sorts, scripted, 'install', [sorts, rule]) : []),
        ...uniqueScript(rule, scripted, 'install'),
      ].filter(statement => !statement.startsWith('--'));
      await scratch.transaction(statements);
      await scratch.transaction(statements);
      const left = await counted(scratch);
      const expected = rule.unordered.length > 0 ? 2 : 1;
      if (left !== expected) return `${left} rows are left instead of ${expected}`;
      const [kept] = await scratch.query(`select count(*) from ${sql} t where ${besides} = $1::jsonb`, [
        first![0],
      ]);
      return Number(kept![0]) > 0 ? null : 'the first is not among them';
    },
  );
  await scratch.uninstall();
  await empty(scratch);
}

export async function* proveUnique(rule: RuleOf<'unique'>, scratch: Scratch): AsyncGenerator<RuleProof> {
  const samples = await samplesFor(scratch);
  const constraint = constraintName(rule.columns);
  const keys = keysOf(rule, samples);
  const isSet = rule.unordered.length > 0;
  const {query} = scratch;
  const refused = (ns: number[]) => refusal(query(keys.insert(ns)), constraint);
  yield* proveMigration(rule, scratch, keys);
  await scratch.install();
  await query(keys.insert([1, 2, 3]));
  yield await proof(`a second row with the same ${rule.columns.join(', ')} is refused by ${constraint}`, () =>
    refused([1, 2, 3]),
  );
  if (isSet) {
    yield await proof(
      `the same ${rule.unordered.join(', ')} in another order are refused by ${constraint}`,
      () => refused([3, 1, 2]),
    );
    yield await proof('sets that overlap are both stored', () =>
      both(scratch, keys.insert([1, 2]), keys.insert([2, 3])),
    );
    yield await proof('an element that is there twice makes another one: both are stored', () =>
      both(scratch, keys.insert([1, 1, 2]), keys.insert([1, 2])),
    );
  }
  for (const column of keys.plain) {
    if (columnOf(scratch.place.table, column)?.type.family === 'other') continue;
    yield await proof(`the same with another ${column} is stored too`, () =>
      both(scratch, keys.insert([1, 2, 3]), keys.insert([1, 2, 3], column)),
    );
  }
  yield await proof(`of ${atOnce} inserted at once, one is stored`, async () => {
    await empty(scratch);
    const orders = [
      [1, 2, 3],
      [3, 2, 1],
      [2, 1, 3],
      [2, 3, 1],
    ];
    const texts = Array.from({length: atOnce}, (_, n) => ({text: keys.insert(orders[n % orders.length]!)}));
    const settled = await scratch.atOnce(texts);
    const stored = settled.filter(({status}) => status === 'fulfilled').length;
    const left = await counted(scratch);
    if (stored !== 1 || left !== 1) return `${stored} were accepted, ${left} are there`;
    for (const one of settled) {
      const why = one.status === 'rejected' ? await refusal(Promise.reject(one.reason), constraint) : null;
      if (why) return why;
    }
    return null;
  });
}
