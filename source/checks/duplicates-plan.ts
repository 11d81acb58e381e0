/**
 * The changes that duplicates' actions make. Whatever deletes or moves a row that an account refers to repoints
 * the reference in the same unit, and the unit is only done whole where a reference is part of it.
 */
import type {DuplicatesConfig} from '../config/schema.js';
import type {Change, Identity, KeepRule, NewValue, Row, Unit} from '../connector.js';
import {exprValue, fill, valueAt} from '../evaluate.js';
import type {Pred} from '../forms.js';
import {readInstant} from '../instants.js';
import {isAbsent, isMap, type Scalar, toText, type Value} from '../values.js';
import type {PlanContext, Task} from './check.js';
import {createdNames, idAttribute, keepRule, keyOf, referenceOf, rowTags, show} from './duplicates-rules.js';
import {decideKeeper, isCanonical} from './keeper.js';

type Config = DuplicatesConfig;
type Context = PlanContext<Config>;

const scalarOf = (value: Value): Scalar | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : isAbsent(value)
      ? null
      : toText(value);

const existing = (row: Row) => ({
  table: row.table,
  identity: row.identity,
  version: row.version!,
  image: row.image!,
});

/** Accounts of these groups, by the group's first key. */
const accountsOf = async (context: Context, keys: Value[]): Promise<(key: Value) => Row[]> => {
  const {config, lookup} = context;
  if (!config.referencedBy) return () => [];
  const {table, key: column, attribute} = config.referencedBy;
  const wanted = [...new Set(keys.map(scalarOf).filter(key => key !== null))];
  const byKey = new Map<string, Row[]>();
  for (const row of wanted.length > 0 ? await lookup(table, column, wanted, [column, attribute]) : []) {
    const name = toText(valueAt(row.values, column));
    byKey.set(name, [...(byKey.get(name) ?? []), row]);
  }
  return key => byKey.get(toText(key)) ?? [];
};

/** What an account refers to now, as text; undefined where it refers to nothing. */
const referenceText = ({config, shapes}: Context, account: Row): string | undefined => {
  const value = exprValue(referenceOf(config, shapes), account.values);
  return isAbsent(value) ? undefined : toText(value);
};

/**
 * Deletes of these rows. One that no account referred to is only made while that is so: an account may have been
 * made to refer to it since, and that reference is not repointed here.
 */
const remove = (context: Context, accounts: Row[], gone: Row[]): Change[] => {
  const {config, shapes} = context;
  const {unreferenced} = rowTags(config, shapes);
  const name = idAttribute(config, shapes);
  const referred = new Set(accounts.map(account => config.referencedBy && referenceText(context, account)));
  return gone.map(row => ({
    ...existing(row),
    op: 'delete',
    ...(unreferenced && name && !referred.has(toText(valueAt(row.values, name))) && {still: unreferenced}),
  }));
};

/** Makes an account refer to `id`, in the form that its reference has; null takes the reference away. */
const repoint = ({config, shapes}: Context, account: Row, id: string | null): Change => {
  const attribute = config.referencedBy!.attribute;
  const held = valueAt(account.values, attribute);
  const name = isMap(held) && id !== null ? `${attribute}.${idAttribute(config, shapes)}` : attribute;
  const set: Record<string, NewValue> = {[name]: id === null ? {remove: true} : {value: id}};
  return {...existing(account), op: 'update', set, required: true};
};

/** Changes to the accounts that refer to one of `gone`. */
const repoints = (context: Context, accounts: Row[], gone: Row[], id: string | null): Change[] => {
  const name = idAttribute(context.config, context.shapes);
  if (!name || !context.config.referencedBy) return [];
  const lost = new Set(gone.map(row => toText(valueAt(row.values, name))));
  const affected = accounts.filter(account => {
    const reference = referenceText(context, account);
    return reference !== undefined && lost.has(reference) && reference !== id;
  });
  if (id === null && affected.length > 0)
    context.tally('accounts are left without a session', affected.length);
  return affected.map(account => repoint(context, account, id));
};

const lock = (context: Context, task: Task, keep: KeepRule, keeper: Row | undefined): Unit['group'] => ({
  table: context.config.table,
  where: groupWhere(context.config, task.found.key!),
  keep,
  keeper: keeper?.identity ?? null,
});

/** The rows of one group, all of them and no other. */
const groupWhere = (config: Config, key: Value[]): Pred => ({
  all: keyOf(config).map((of, index): Pred => ({in: [itemOf(key[index])], of})),
});

const itemOf = (value: Value): Scalar | (Scalar | null)[] =>
  Array.isArray(value) ? value.map(scalarOf) : (scalarOf(value) ?? '');

const keepOne = (context: Context, task: Task, rule: KeepRule, keeper: Row, accounts: Row[]): Unit => {
  const gone = task.found.rows.filter(row => row !== keeper);
  const id = idAttribute(context.config, context.shapes);
  const changes = [
    ...remove(context, accounts, gone),
    ...repoints(context, accounts, gone, id ? toText(valueAt(keeper.values, id)) : null),
  ];
  return {group: lock(context, task, rule, keeper), changes};
};

const earliestCreated = (config: Config, rows: Row[]): Record<string, NewValue> => {
  for (const name of createdNames) {
    const dated = rows
      .map(row => ({
        value: valueAt(row.values, name),
        micros: readInstant(valueAt(row.values, name), config.timeZone),
      }))
      .filter(({micros}) => micros !== null && Number.isFinite(micros))
      .sort((a, b) => a.micros! - b.micros!);
    if (dated.length > 0) return {[name]: {value: dated[0]!.value}};
  }
  return {};
};

/** Where a row lies once it has the canonical id; nothing where the id is not in its key, so that the store decides. */
const movedIdentity = ({identity: {by, at}}: Row, id: string, canonicalId: string): Identity => {
  const now = at[id];
  if (by === 'key' && typeof now === 'string') return {by, at: {...at, [id]: canonicalId}};
  // DynamoDB tells the type of a value beside it.
  if (by === 'key' && isMap(now as Value) && Object.hasOwn(now as object, 'S'))
    return {by, at: {...at, [id]: {S: canonicalId}}};
  return {by: 'key', at: {}};
};

const rekey = (context: Context, task: Task, latest: Row, accounts: Row[]): Unit | null => {
  const {config, shapes} = context;
  const id = idAttribute(config, shapes)!;
  const canonicalId = fill(config.canonicalId!, latest.values);
  if (canonicalId === undefined) return null;
  const rows = task.found.rows;
  const there = rows.find(row => toText(valueAt(row.values, id)) === canonicalId);
  const set: Record<string, NewValue> = {...earliestCreated(config, rows), [id]: {value: canonicalId}};
  const others = rows.filter(row => row !== there);
  const identity = there?.identity ?? movedIdentity(latest, id, canonicalId);
  const keptAsItIs = there === latest && alreadyEarliest(config, latest, set);
  const moved: Change[] = keptAsItIs
    ? []
    : there
      ? [{...existing(there), op: 'update', required: true, to: latest.image!, set}]
      : [
          {
            op: 'insert',
            table: config.table,
            identity,
            version: null,
            from: latest.image!,
            set,
            required: true,
          },
        ];
  const deletes = remove(context, accounts, others).map(
    (change, index): Change => ({...change, required: others[index] === latest}),
  );
  // A moved row is the one that stays: nothing here happens without it. One that needs no move has to be there still.
  const rule: KeepRule = keptAsItIs ? {by: 'identity', identity} : {by: 'none'};
  return {
    group: lock(context, task, rule, there),
    changes: [...moved, ...deletes, ...repoints(context, accounts, others, canonicalId)],
  };
};

const alreadyEarliest = (config: Config, row: Row, set: Record<string, NewValue>): boolean =>
  createdNames.every(name => {
    const wanted = set[name];
    if (!wanted || !('value' in wanted)) return true;
    return (
      readInstant(wanted.value, config.timeZone) === readInstant(valueAt(row.values, name), config.timeZone)
    );
  });

const repointTask = (context: Context, task: Task, sessions: Row[], accounts: Row[]): Unit | null => {
  const {config, shapes} = context;
  const id = idAttribute(config, shapes)!;
  const rule = keepRule(config, shapes);
  const target = sessions[decideKeeper(rule, sessions)];
  const wanted = target ? toText(valueAt(target.values, id)) : null;
  const changes = accounts
    .filter(account => referenceText(context, account) !== (wanted ?? undefined))
    .map(account => repoint(context, account, wanted));
  if (changes.length === 0) return null;
  if (!target)
    context.tally('references to nothing are removed: their accounts have no session', changes.length);
  const key = valueAt(accounts[0]!.values, config.referencedBy!.key);
  const group = target && {...lock(context, {...task, found: {...task.found, key: [key]}}, rule, target)!};
  return {group: group ?? null, changes};
};

/** Repoint: the account's latest session, for references to nothing and for sessions that nothing refers to. */
async function* planRepoint(tasks: Task[], context: Context): AsyncIterable<Unit> {
  const {config, lookup, shapes} = context;
  const dangling = tasks.filter(task => task.part.name === 'dangling-reference');
  const keys = dangling.map(task => scalarOf(valueAt(task.found.rows[0]!.values, config.referencedBy!.key)));
  const wanted = keys.filter(key => key !== null);
  const sessions =
    wanted.length > 0 ? await lookup(config.table, config.groupBy[0]!, wanted, show(config, shapes)) : [];
  const accounts = await accountsOf(
    context,
    tasks.filter(task => !dangling.includes(task)).map(task => task.found.key![0]),
  );
  const done = new Set<string>();
  for (const task of tasks) {
    const isDangling = dangling.includes(task);
    const account = isDangling ? [task.found.rows[0]!] : accounts(task.found.key![0]);
    const key = isDangling ? valueAt(account[0]!.values, config.referencedBy!.key) : task.found.key![0];
    if (account.length === 0 || done.has(toText(key))) continue;
    done.add(toText(key));
    const rows = isDangling
      ? sessions.filter(row => toText(valueAt(row.values, config.groupBy[0]!)) === toText(key))
      : task.found.rows;
    const unit = repointTask(context, task, rows, account);
    if (unit) yield unit;
  }
}

const planTask = (action: string, context: Context, task: Task, accounts: Row[]): Unit | null => {
  const {config, shapes} = context;
  const rows = task.found.rows;
  const id = idAttribute(config, shapes);
  const template = config.canonicalId ?? null;
  const chosen: KeepRule | null = task.keeper ? {by: 'identity', identity: task.keeper} : null;
  if (action === 'purge' || action === 'delete-non-canonical') {
    const gone =
      action === 'purge'
        ? rows
        : rows.filter(row => fill(template!, row.values) !== undefined && !isCanonical(row, template, id));
    const stays = rows.filter(row => !gone.includes(row));
    const keeper = stays[decideKeeper(keepRule(config, shapes), stays)];
    const changes = [
      ...remove(context, accounts, gone),
      ...repoints(context, accounts, gone, keeper && id ? toText(valueAt(keeper.values, id)) : null),
    ];
    if (changes.length === 0) return null;
    return {group: task.found.key ? lock(context, task, {by: 'none'}, keeper) : null, changes};
  }
  if (action === 'rekey') {
    const latest = rows[decideKeeper(chosen ?? keepRule(config, shapes), rows)];
    return latest ? rekey(context, task, latest, accounts) : null;
  }
  if (action === 'keep-canonical') {
    const canonical = rows.find(row => isCanonical(row, template, id));
    if (!canonical) {
      context.tally('groups have no canonical row and are left alone', 1);
      return null;
    }
    return keepOne(context, task, {by: 'identity', identity: canonical.identity}, canonical, accounts);
  }
  const rule = chosen ?? keepRule(config, shapes);
  const keeper = rows[decideKeeper(rule, rows)];
  return keeper ? keepOne(context, task, rule, keeper, accounts) : null;
};

export async function* planDuplicates(action: string, tasks: Task[], context: Context): AsyncIterable<Unit> {
  if (action === 'repoint') {
    yield* planRepoint(tasks, context);
    return;
  }
  const onSessions = tasks.filter(task => task.part.name !== 'dangling-reference');
  const accounts = await accountsOf(
    context,
    onSessions.map(task => task.found.key?.[0]),
  );
  for (const task of onSessions) {
    const unit = planTask(action, context, task, accounts(task.found.key?.[0]));
    if (unit && unit.changes.length > 0) yield unit;
  }
}
