/**
 * What became of changes that nobody wrote down, because the process died or the store's answer was lost: found out
 * from the store, by the transaction's own number where it has one and by reading the rows elsewhere; never by
 * writing again (safety S4, S5).
 */
import {type Change, type Connector, canonicalJson, type Row, type Settlement} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import {valueAt} from '../../evaluate.js';
import {type Json, toJson, type ValueMap} from '../../values.js';
import {type Backup, changeOf} from '../disk/backup.js';
import {type JournalLine, nameOf, outcomesOf, type RunOutcome} from '../disk/run-files.js';
import {setPath} from '../shown.js';

/** What is known of a change; `pending` was not made. */
export type Settled = RunOutcome | {result: 'pending'};

type Prepared = Extract<JournalLine, {event: 'prepared'}>;

/** Units that were begun, and the transaction that each was last prepared in. */
export const begunIn = (journal: JournalLine[]): {begun: Set<number>; prepared: Map<number, Prepared>} => {
  const begun = new Set<number>();
  const prepared = new Map<number, Prepared>();
  for (const line of journal) {
    if (line.event === 'intent') for (let unit = line.from; unit < line.to; unit++) begun.add(unit);
    if (line.event === 'prepared') for (const {unit} of line.units) prepared.set(unit, line);
  }
  return {begun, prepared};
};

/**
 * The outcome of every change of a run, by `nameOf(unit, change)`. Those that were written down and are certain are
 * taken as they are.
 */
export const settleRun = async (
  connector: Connector,
  journal: JournalLine[],
  backup: Backup,
  signal?: AbortSignal,
): Promise<Map<string, Settled>> => {
  const known = outcomesOf(journal);
  const {begun, prepared} = begunIn(journal);
  const tokens = new Map<string, Settlement | null>();
  const statusOf = async (token: Json): Promise<Settlement | null> => {
    const name = canonicalJson(token);
    if (!tokens.has(name)) tokens.set(name, (await connector.settled?.(token, signal)) ?? null);
    return tokens.get(name)!;
  };
  const settled = new Map<string, Settled>();
  const toRead: string[] = [];
  const committed: string[] = [];
  for (const {unit, change} of backup.places) {
    const name = nameOf(unit, change);
    const told = known.get(name);
    if (told && told.result !== 'unknown') {
      settled.set(name, outcomeOnly(told));
      continue;
    }
    if (!begun.has(unit)) {
      settled.set(name, {result: 'pending'});
      continue;
    }
    if (!connector.settled) {
      toRead.push(name);
      continue;
    }
    const last = prepared.get(unit);
    const status = last ? await statusOf(last.token) : 'aborted';
    if (status === 'in-progress') throw beingCommitted(last!.token);
    if (status === 'aborted') settled.set(name, {result: 'pending'});
    else if (status === 'committed') {
      const outcome = outcomeIn(last!, unit, change);
      settled.set(name, outcome);
      if (outcome.result === 'applied') committed.push(name);
    } else settled.set(name, {result: 'unknown', error: lost});
  }
  await readRows(connector, backup, new Set(toRead), signal, (name, change, row) =>
    settled.set(name, settledByReading(connector, change, row)),
  );
  // A server that was put back to an earlier state gives numbers out again.
  await readRows(connector, backup, new Set(committed), signal, (name, change, row) => {
    if (change.op !== 'insert' && row?.version === change.version)
      settled.set(name, {result: 'unknown', error: restored});
  });
  return settled;
};

const beingCommitted = (token: Json): SesstuiError =>
  new SesstuiError(
    'timeout',
    `a transaction of the run is still being committed (${canonicalJson(token)})`,
    'Nobody can say yet what it did: try again when the server has ended it (a standby that it waits for?).',
  );

const outcomeIn = (prepared: Prepared, unit: number, change: number): Settled => {
  const outcome = prepared.units
    .find(item => item.unit === unit)!
    .outcomes.find(item => item.change === change);
  return outcome ? outcomeOnly(outcome) : {result: 'pending'};
};

const outcomeOnly = ({result, why, error, after}: RunOutcome): RunOutcome => ({
  result,
  ...(why === undefined ? {} : {why}),
  ...(error === undefined ? {} : {error}),
  ...(after === undefined ? {} : {after}),
});

/** How many rows are held at once while outcomes are found out by reading. */
const atOnce = 50;

const readRows = async (
  connector: Connector,
  backup: Backup,
  names: Set<string>,
  signal: AbortSignal | undefined,
  tell: (name: string, change: Change, row: Row | undefined) => void,
): Promise<void> => {
  const places = backup.places.filter(({unit, change}) => names.has(nameOf(unit, change)));
  for (let start = 0; start < places.length; start += atOnce) {
    const some = places.slice(start, start + atOnce);
    const changes = await Promise.all(some.map(async place => changeOf(await backup.record(place))));
    const rows = await fetchEach(connector, changes, signal);
    for (const [index, {unit, change}] of some.entries())
      tell(nameOf(unit, change), changes[index]!, rows[index]);
  }
};

const isKnown = ({identity: {by, at}}: Change): boolean => by === 'key' && Object.keys(at).length > 0;

/** The rows of changes, table by table, in the order of the changes. */
const fetchEach = async (
  connector: Connector,
  changes: Change[],
  signal?: AbortSignal,
): Promise<(Row | undefined)[]> => {
  const rows: (Row | undefined)[] = [];
  for (const table of new Set(changes.map(change => change.table))) {
    const indexes = [...changes.keys()].filter(
      index => changes[index]!.table === table && Object.keys(changes[index]!.identity.at).length > 0,
    );
    const found = await connector.fetch(
      table,
      indexes.map(index => changes[index]!.identity),
      signal,
    );
    for (const [place, index] of indexes.entries()) rows[index] = found[place];
  }
  return rows;
};

const restored = 'the server says that it was made, and the row is as before: was the server restored?';
const lost = 'the store did not tell, and the row is neither as it was nor as it was to be';

/**
 * A row that is gone was deleted; one that is as the plan saw it was not touched; one that is what it was to become
 * was changed. For the rest nobody can say.
 */
const settledByReading = (connector: Connector, change: Change, row: Row | undefined): Settled => {
  if (change.op === 'delete') {
    if (row) return {result: 'pending'};
    // A row without a key may have moved.
    return change.identity.by === 'place'
      ? {result: 'unknown', error: lost}
      : {result: 'applied', after: null};
  }
  const after = row && {identity: row.identity, version: row.version!};
  if (change.op === 'insert') {
    // Where a row came to lie that has no key, or whose key the store made, is not known.
    if (!isKnown(change)) return {result: 'unknown', error: lost};
    return row && isResult(connector, change, row) ? {result: 'applied', after: after!} : {result: 'pending'};
  }
  if (!row || row.version === change.version) return {result: 'pending'};
  return isResult(connector, change, row)
    ? {result: 'applied', after: after!}
    : {result: 'unknown', error: lost};
};

/** Is the row what the change was to make of it? What the store sets itself (now) is not compared. */
const isResult = (connector: Connector, change: Change & {op: 'insert' | 'update'}, row: Row): boolean => {
  const set = ('set' in change && change.set) || {};
  const base =
    change.op === 'insert'
      ? 'row' in change
        ? change.row
        : change.from
      : 'to' in change
        ? change.to
        : change.image;
  let wanted: ValueMap = connector.valuesOf(change.table, base);
  let found: ValueMap = row.values;
  for (const [name, value] of Object.entries(set)) {
    if ('value' in value) wanted = setPath(wanted, name, value.value);
    else if ('remove' in value) wanted = setPath(wanted, name, undefined);
    else {
      wanted = setPath(wanted, name, undefined);
      found = setPath(found, name, undefined);
    }
  }
  return textOf(wanted) === textOf(found);
};

const textOf = (values: ValueMap): string =>
  canonicalJson(
    Object.fromEntries(
      Object.keys(values)
        .map(name => [name, toJson(valueAt(values, name))] as [string, Json])
        .filter(([, value]) => value !== null),
    ),
  );
