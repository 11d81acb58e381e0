/**
 * Makes the plan of an action: looks again (never from what the screen holds), takes the findings that were
 * chosen, and lets the check turn them into changes with before-images.
 */
import type {Part, PlanContext, Task} from '../../checks/check.js';
import {type Change, type Connector, type Identity, markOf, type Row, type Unit} from '../../connector.js';
import {SesstuiError} from '../../errors.js';
import type {Pred, Rows} from '../../forms.js';
import type {Progress, Selection} from '../../types.js';
import type {Checker, Opened} from '../checker.js';
import {keyOf, keyText} from '../findings.js';
import {checkWords, isChosen, narrowed, reasonsTaken} from '../selecting.js';
import {idBytes} from './seeded.js';
import {roughSize, UnitSpool} from './units.js';

/** Findings that are turned into changes together: bounds what is held and how often other tables are asked. */
const batchSize = 500;
const batchBytes = 8 << 20;

export type MadePlan = {
  units: UnitSpool;
  notes: string[];
  findings: number;
  opened: Pick<Opened, 'shapes' | 'now'>;
};

export type PlanOptions = {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  allowScan?: boolean;
  /** The rows that the chosen findings are on, where they are known: nothing else is read, so nothing is scanned. */
  only?: readonly Pick<Row, 'table' | 'identity'>[];
  stateDirectory: string;
  /** What new ids are made from: the same seed gives the same row the same id. */
  seed: string;
};

/** Throws `usage` for words that the check doesn't know, and the store's own faults. */
export const makePlan = async (
  checker: Checker,
  action: string,
  selection: Selection,
  options: PlanOptions,
): Promise<MadePlan> => {
  checkWords(checker.id, checker.check, checker.info.actions, action, selection);
  return checker.ask(
    async opened => {
      if (!options.only)
        await checker.refuseScan(
          {...opened, parts: partsOf(opened, selection)},
          {allowScan: options.allowScan, signal: options.signal},
        );
      const notes: string[] = [];
      const tallies = new Map<string, number>();
      const context: PlanContext<typeof checker.config> = {
        config: checker.config,
        shapes: opened.shapes,
        now: opened.now,
        lookup: (table, attribute, values, show, where) =>
          lookup(opened, {table, attribute, values, show, where}, options.signal),
        note: text => notes.push(text),
        tally: (what, count) => tallies.set(what, (tallies.get(what) ?? 0) + count),
        idBytes: (table, identity) => idBytes(options.seed, table, identity),
      };
      const units = new UnitSpool(options.stateDirectory);
      try {
        const seen = new Set<string>();
        let findings = 0;
        for await (const tasks of batches(chosen(checker, action, selection, opened, options))) {
          findings += tasks.length;
          for await (const unit of checker.check.plan(action, tasks, context)) {
            const changes = namedOnly(checker, action, selection, unit).filter(change => isNew(seen, change));
            if (changes.length === 0) continue;
            refuseCascades(checker, opened, changes);
            await units.add({...unit, changes});
          }
          options.onProgress?.({phase: 'planning', done: findings, total: null});
        }
        for (const [what, count] of tallies) notes.push(`${count} ${what}`);
        return {units, notes, findings, opened};
      } catch (error) {
        await units.close();
        throw error;
      }
    },
    {signal: options.signal, insist: true},
  );
};

/**
 * With --id, of a group only the rows that were named are deleted or changed; what else the unit does (a reference
 * that is repointed) goes along with them. A rekey moves its group whole.
 */
const namedOnly = (checker: Checker, action: string, {ids}: Selection, unit: Unit): Change[] => {
  if (!ids || !unit.group || action === 'rekey') return unit.changes;
  const main = checker.check.table(checker.config);
  const isNamed = (change: Change): boolean =>
    ids.includes(keyText(keyOf({identity: change.identity, values: {}})));
  const own = unit.changes.filter(change => change.table === main);
  const named = own.filter(isNamed);
  return named.length === 0
    ? own.length === 0
      ? unit.changes
      : []
    : unit.changes.filter(change => !own.includes(change) || named.includes(change));
};

/** A row is changed once in a plan, whichever finding comes to it first. */
const isNew = (seen: Set<string>, change: Change): boolean => {
  if (change.op === 'insert') return true;
  const mark = markOf(change.table, change.identity);
  if (seen.has(mark)) return false;
  seen.add(mark);
  return true;
};

async function* batches(items: AsyncIterable<Task>): AsyncIterable<Task[]> {
  let batch: Task[] = [];
  let bytes = 0;
  for await (const item of items) {
    batch.push(item);
    for (const {image} of item.found.rows) bytes += roughSize(image ?? null);
    if (batch.length === batchSize || bytes > batchBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/** `parts`, each with the rows of it that are to be read: all of them, or those that were named. */
const withOnly = (parts: Part[], {only}: PlanOptions): {part: Part; only?: Identity[]}[] =>
  only === undefined
    ? parts.map(part => ({part}))
    : parts
        .map(part => ({
          part,
          only: only.filter(({table}) => table === part.form.from).map(({identity}) => identity),
        }))
        .filter(each => each.only.length > 0);

/** What is read: one customer's rows may have an index where the whole question has none. */
const partsOf = ({parts}: Opened, selection: Selection): Opened['parts'] =>
  parts.map(part => ({...part, form: narrowed(part, selection)}));

async function* chosen(
  checker: Checker,
  action: string,
  selection: Selection,
  opened: Opened,
  options: PlanOptions,
): AsyncIterable<Task> {
  if (checker.check.actions.find(({name}) => name === action)?.byId) {
    yield* chosenById(checker, action, selection, opened, options);
    return;
  }
  let taken = 0;
  for (const {part: asked, only} of withOnly(partsOf(opened, selection), options))
    for await (const {part, found, judged, finding} of checker.findings(opened, {
      full: true,
      parts: [asked],
      ...(only ? {only} : {}),
      signal: options.signal,
    })) {
      if (!isChosen(selection, part, judged, finding)) continue;
      const reasons = reasonsTaken(checker.check, action, selection, finding, finding.actions);
      if (reasons.length === 0) continue;
      yield {part, found, judged, reasons, keeper: selection.keepers?.[finding.id] ?? null};
      taken++;
      if (selection.limit !== undefined && taken >= selection.limit) return;
    }
}

/** Rows of the list of every session, healthy ones too, but only those that were named. */
async function* chosenById(
  checker: Checker,
  action: string,
  selection: Selection,
  opened: Opened,
  options: PlanOptions,
): AsyncIterable<Task> {
  const part = checker.check.sessions!(checker.config, opened.shapes);
  if (!selection.ids && !selection.findings) {
    throw new SesstuiError(
      'usage',
      `action ${action} needs to be told which rows`,
      'Name them with --id KEY (repeatable), or mark them on the screen.',
    );
  }
  const key = opened.shapes[part.form.from]!.key;
  const where: Pred[] = selection.ids && key.length === 1 ? [{in: selection.ids, of: {attr: key[0]!}}] : [];
  const form = {...narrowed(part, selection), where: {all: [narrowed(part, selection).where, ...where]}};
  let taken = 0;
  for await (const {found, judged, finding} of checker.findings(opened, {
    full: true,
    parts: [{...part, form}],
    signal: options.signal,
  })) {
    if (!isChosen(selection, part, judged, finding)) continue;
    yield {part, found, judged, reasons: [], keeper: null};
    taken++;
    if (selection.limit !== undefined && taken >= selection.limit) return;
  }
}

type Lookup = {
  table: string;
  attribute: string;
  values: (string | number | boolean)[];
  show: string[];
  where?: Pred;
};

const lookup = async (
  {connector, now}: {connector: Connector; now: number},
  {table, attribute, values, show, where}: Lookup,
  signal?: AbortSignal,
): Promise<Row[]> => {
  const rows: Row[] = [];
  for (let start = 0; start < values.length; start += batchSize) {
    const some: Pred = {in: values.slice(start, start + batchSize), of: {attr: attribute}};
    const form: Rows = {
      form: 'rows',
      from: table,
      where: where ? {all: [some, where]} : some,
      show,
      tags: {},
    };
    for await (const found of connector.read(form, {now, full: true, signal})) rows.push(found.rows[0]!);
  }
  return rows;
};

/** Deleting a row that others refer to with CASCADE would delete rows that no backup holds (safety S15). */
const refuseCascades = (checker: Checker, opened: Opened, changes: Change[]): void => {
  for (const {op, table} of changes) {
    const cascades = op === 'delete' ? (opened.shapes[table]?.cascades ?? []) : [];
    if (cascades.length > 0) {
      throw new SesstuiError(
        'cascade',
        `check ${checker.id}: deleting rows of ${table} would change rows of ${cascades.join(', ')} (foreign keys with ON DELETE CASCADE or SET NULL)`,
        'Those rows would be lost without a backup. Change the foreign key to NO ACTION, or choose an action that deletes nothing.',
      );
    }
  }
};
