/** Plans of every kind, ready to be shown and carried out: of an action, of an undo, of what a run left, of a file. */
import type {Shapes} from '../checks/check.js';
import {type Config, environmentName} from '../config/schema.js';
import {type Change, type Connector, canonicalJson, type Unit} from '../connector.js';
import {SesstuiError} from '../errors.js';
import {isSecretColumn} from '../secrets.js';
import type {Plan, Progress, Selection, ShownChange} from '../types.js';
import type {Json} from '../values.js';
import type {Checker} from './checker.js';
import {type Confirmation, confirmationsFor} from './confirmations.js';
import {whoami} from './open-run.js';
import {
  hashOfChange,
  type PlanFileChange,
  readPlanFile,
  requireFresh,
  wasEdited,
  writePlanFile,
} from './plan-file.js';
import {type MadePlan, makePlan} from './planner.js';
import {makeResume, type Resume} from './resume.js';
import {nameOf, type PlanHeader, type RunRecord, readRun} from './run-files.js';
import {requireFree} from './run-lock.js';
import {newSeed} from './seeded.js';
import {dealtReasons} from './selecting.js';
import {showChange, statementsOf, withKnown} from './shown.js';
import {sha256} from './state-files.js';
import {makeUndo} from './undo.js';
import {spooled, UnitSpool} from './units.js';

type Header = Omit<PlanHeader, 'run' | 'at' | 'by' | 'planned' | 'note'>;

/** A plan with what only the engine needs to carry it out. */
export type HeldPlan = Plan & {
  held: {
    checker: Checker;
    units: UnitSpool;
    header: Header;
    confirmations: Confirmation[];
    /** Columns whose values are masked: the check's, and those of the run that is finished or taken back. */
    secrets: string[];
    /** Of an undo: how many changes earlier undos of the same run had taken back, and the run as it was read. */
    takenBefore: number;
    undone: RunRecord | null;
    /** Of a run that was cut off. */
    resume: Resume | null;
    /** The note that came with a reviewed plan. */
    note: string | null;
    /** What it needs to be written to a file: of an action's plan only. */
    source: {selection: Selection; seed: string; now: number} | null;
  };
};

export type PlanningOptions = {signal?: AbortSignal; onProgress?: (progress: Progress) => void};

export type Planning = {
  config: Config;
  stateDirectory: string;
  allowScan?: boolean;
  find: (check: string) => Checker;
};

/** How changes are told; the connector has to have seen their tables. */
const showerOf = (
  connector: Connector,
  shapes: Shapes,
  secrets: string[],
): ((change: Change) => ShownChange) => {
  const keys = Object.fromEntries(Object.values(shapes).map(shape => [shape.table, shape.key]));
  return change => showChange(change, connector, secrets, keys);
};

/** Every change of a plan as people read it, in the plan's order. */
const shownChanges = async (
  units: AsyncIterable<Unit>,
  show: (change: Change) => ShownChange,
): Promise<ShownChange[]> => {
  const shown: ShownChange[] = [];
  for await (const {changes} of units) shown.push(...changes.map(show));
  return shown;
};

type About = {
  action: string;
  notes: string[];
  units: UnitSpool;
  shown: ShownChange[];
  /** The changes that confirmations are about, where not all are to be made. */
  counted?: ShownChange[];
  estimatedRows?: number | null;
  drastic?: boolean;
  header: Header;
  madeIn?: string;
  secrets?: string[];
  undone?: RunRecord;
  takenBefore?: number;
  resume?: Resume;
  note?: string | null;
  source?: HeldPlan['held']['source'];
};

const hold = (config: Config, checker: Checker, about: About): HeldPlan => {
  const {shown, counted = shown, estimatedRows = null, drastic = false, action, notes, units, header} = about;
  const confirmations = confirmationsFor(config, {
    changes: counted,
    table: checker.check.table(checker.config),
    estimatedRows,
    drastic,
    action,
    madeIn: about.madeIn,
  });
  return {
    check: checker.id,
    action,
    planned: shown.length,
    changes: shown,
    statements: statementsOf(counted),
    notes,
    confirmations: confirmations.map(({expected, why}) => ({expected, why})),
    estimatedRows,
    ...(about.resume ? {resumes: about.resume.record.header.run} : {}),
    held: {
      checker,
      units,
      header,
      confirmations,
      secrets: about.secrets ?? checker.config.secrets,
      takenBefore: about.takenBefore ?? 0,
      undone: about.undone ?? null,
      resume: about.resume ?? null,
      note: about.note ?? null,
      source: about.source ?? null,
    },
  };
};

const headerOf = async (
  {config}: Planning,
  checker: Checker,
  action: string,
  reasons: string[],
): Promise<Header> => ({
  store: checker.store.name,
  check: checker.id,
  action,
  environment: environmentName(config),
  server: (await checker.store.ask(connector => connector.server())).id,
  undoes: null,
  reasons,
  of: {
    kind: checker.check.kind,
    table: checker.check.table(checker.config),
    drastic: isDrastic(checker, action),
    secrets: checker.config.secrets,
    configuration: configurationOf(checker),
  },
});

const configurationOf = (checker: Checker): string =>
  sha256(canonicalJson(checker.config as unknown as Json));

const isDrastic = (checker: Checker, action: string): boolean =>
  checker.check.actions.find(({name}) => name === action)?.drastic ?? false;

const estimateOf = (checker: Checker, shapes: Shapes): number | null =>
  shapes[checker.check.table(checker.config)]?.estimatedRows ?? null;

const shownOf = (checker: Checker, made: MadePlan, units: UnitSpool): Promise<ShownChange[]> =>
  checker.store.ask(connector =>
    shownChanges(units, showerOf(connector, made.opened.shapes, checker.config.secrets)),
  );

/** The plan of an action. */
export const planAction = async (
  planning: Planning,
  check: string,
  action: string,
  selection: Selection,
  options: PlanningOptions = {},
): Promise<HeldPlan> => {
  const checker = planning.find(check);
  const seed = newSeed();
  const {stateDirectory, allowScan} = planning;
  const made = await makePlan(checker, action, selection, {...options, allowScan, stateDirectory, seed});
  const reasons = selection.reasons ?? dealtReasons(checker.check, action, selection);
  return hold(planning.config, checker, {
    action,
    notes: made.notes,
    units: made.units,
    shown: await shownOf(checker, made, made.units),
    estimatedRows: estimateOf(checker, made.opened.shapes),
    drastic: isDrastic(checker, action),
    header: await headerOf(planning, checker, action, reasons),
    source: {selection, seed, now: made.opened.now},
  });
};

/** The check of a run, with what undo and resume ask for. */
const checkerOf = async ({stateDirectory, find}: Planning, run: string) => {
  const {header} = await readRun(stateDirectory, run);
  await requireFree(stateDirectory, run);
  const checker = find(header.check);
  const secrets = [...new Set([...checker.config.secrets, ...header.of.secrets])];
  return {header, checker, secrets};
};

/** What takes a run back. */
export const planUndo = async (
  planning: Planning,
  run: string,
  {signal}: PlanningOptions = {},
): Promise<HeldPlan> => {
  const {stateDirectory} = planning;
  const {checker, secrets} = await checkerOf(planning, run);
  return checker.ask(
    async ({connector, shapes}) => {
      const {record, units, takenBefore, close} = await makeUndo(connector, stateDirectory, run, signal);
      try {
        const spool = await spooled(stateDirectory, units);
        return hold(planning.config, checker, {
          action: 'undo',
          notes: [`takes back ${record.header.action} of ${record.header.at}`],
          units: spool,
          shown: await shownChanges(spool, showerOf(connector, shapes, secrets)),
          header: {...record.header, action: 'undo', undoes: run, dropped: undefined},
          madeIn: record.header.environment,
          secrets,
          undone: record,
          takenBefore,
        });
      } finally {
        await close();
      }
    },
    {insist: true, signal},
  );
};

/** What an interrupted run has left. */
export const planResume = async (
  planning: Planning,
  run: string,
  {signal}: PlanningOptions = {},
): Promise<HeldPlan> => {
  const {stateDirectory} = planning;
  const {checker, secrets, header: begun} = await checkerOf(planning, run);
  if (!begun.undoes && configurationOf(checker) !== begun.of.configuration)
    throw new SesstuiError(
      'usage',
      `check ${checker.id} is configured otherwise than when run ${run} began`,
      `Resume it with the configuration that it was made with, or take back what it did: sesstui undo ${run}.`,
    );
  return checker.ask(
    async ({connector, shapes}) => {
      const resume = await makeResume(connector, stateDirectory, run, signal);
      const {header} = resume.record;
      const show = showerOf(connector, shapes, secrets);
      const shown: ShownChange[] = [];
      for (const places of resume.backup?.units ?? []) {
        const unit = await resume.backup!.unit(places);
        for (const [index, {unit: number, change}] of places.entries()) {
          const outcome = resume.known.get(nameOf(number, change));
          const told = show(unit.changes[index]!);
          shown.push(outcome ? withKnown(told, outcome) : {...told, result: 'planned'});
        }
      }
      const left = shown.filter(({result}) => result === 'planned');
      const plan = hold(planning.config, checker, {
        action: header.action,
        notes: resumeNotes(resume),
        units: new UnitSpool(stateDirectory),
        shown,
        counted: left,
        estimatedRows: estimateOf(checker, shapes),
        drastic: header.of.drastic && !header.undoes,
        header,
        madeIn: header.environment,
        secrets,
        takenBefore: resume.takenBefore,
        resume,
      });
      return {...plan, planned: header.planned + (header.dropped ?? 0)};
    },
    {insist: true, signal},
  );
};

const resumeNotes = ({record: {header}, backup, known, left}: Resume): string[] => {
  if (!backup)
    return [
      `${header.action} of ${header.at} was cut off before its backup was on disk: it has changed nothing`,
    ];
  const count = (result: string): number => [...known.values()].filter(told => told.result === result).length;
  const unknown = count('unknown');
  return [
    `finishes ${header.action} of ${header.at}: ${count('applied') === 1 ? '1 change was' : `${count('applied')} changes were`} made, ${left} ${left === 1 ? 'is' : 'are'} left`,
    ...(unknown > 0 ? [`unknown for good: ${unknown} (the rows have been changed since by others)`] : []),
  ];
};

/** Writes the plan of an action to a file, for someone else to review. Throws `usage` where the file is there. */
export const writePlan = async (plan: HeldPlan, path: string, note: string | null): Promise<void> => {
  const {units, header, source} = plan.held;
  if (!source) throw new SesstuiError('usage', 'only the plan of an action can be written to a file');
  const changes: PlanFileChange[] = [];
  let number = 0;
  for await (const unit of units) {
    for (const change of unit.changes) refuseSecretValues(change, plan.held.secrets);
    for (const [index, change] of unit.changes.entries())
      changes.push({
        unit: number,
        change: index,
        is: hashOfChange(change),
        shown: plan.changes[changes.length]!,
      });
    number++;
  }
  const {check, action, notes, statements, planned} = plan;
  const {environment, server} = header;
  await writePlanFile(path, {
    header: {
      sesstui: 'plan',
      version: 1,
      check,
      action,
      environment,
      server,
      at: new Date().toISOString(),
      by: whoami(),
      note,
      ...source,
      planned,
      notes,
      statements,
    },
    changes,
  });
};

/** The file has what new ids are made from: whoever reads it could make those of a secret column. */
const refuseSecretValues = (change: Change, secrets: string[]): void => {
  const names = 'set' in change && change.set ? Object.keys(change.set) : [];
  const secret = names.find(name => isSecretColumn(name, secrets));
  if (secret !== undefined)
    throw new SesstuiError(
      'unsupported',
      `the plan sets ${secret}, which is secret: a file would tell it`,
      'Carry the plan out without a file.',
    );
};

/**
 * A reviewed plan: made anew, and of that exactly what the file has. Changes of the file that the action would not
 * make any more, or not to these rows as they are now, are skipped. Throws `usage` for a file that was edited, is
 * older than `mostMs`, or was made for another server.
 */
export const planFile = async (
  planning: Planning,
  path: string,
  mostMs: number,
  options: PlanningOptions = {},
): Promise<HeldPlan> => {
  const file = await readPlanFile(path);
  const {check, action, selection, seed, server, note} = file.header;
  const checker = planning.find(check);
  const now = await checker.store.ask(connector => connector.now(), {insist: true});
  const header = await headerOf(planning, checker, action, selection.reasons ?? []);
  if (header.server !== server)
    throw new SesstuiError(
      'usage',
      `${path} was made for another server (${server}) than store ${header.store} is (${header.server})`,
      'Point the store at that server, or make the plan again for this one.',
    );
  requireFresh(path, file.header, now, mostMs);
  const {limit: _, ...whole} = selection;
  const {stateDirectory, allowScan} = planning;
  const made = await makePlan(checker, action, whole, {...options, allowScan, stateDirectory, seed});
  const {units, found} = await inFile(made.units, file.changes, stateDirectory);
  await made.units.close();
  const shown = await shownOf(checker, made, units);
  requireAsShown(path, file.changes, found, shown);
  const dropped = file.changes
    .filter(({is}) => !found.includes(is))
    .map(({shown}): ShownChange => ({...shown, result: 'skipped', why: shown.why ?? 'changed'}));
  return hold(planning.config, checker, {
    action,
    notes: [`${path}: planned by ${file.header.by} at ${file.header.at}`, ...made.notes],
    units,
    shown: [...shown, ...dropped],
    estimatedRows: estimateOf(checker, made.opened.shapes),
    drastic: isDrastic(checker, action),
    madeIn: file.header.environment,
    header: {
      ...header,
      reasons: selection.reasons ?? dealtReasons(checker.check, action, selection),
      ...(dropped.length > 0 ? {dropped: dropped.length} : {}),
    },
    note,
  });
};

/** Of each unit only the changes that the file has; none, where one that all others need is missing. */
const inFile = async (
  units: AsyncIterable<Unit>,
  changes: PlanFileChange[],
  stateDirectory: string,
): Promise<{units: UnitSpool; found: string[]}> => {
  const wanted = new Set(changes.map(({is}) => is));
  const found: string[] = [];
  const kept = new UnitSpool(stateDirectory);
  for await (const unit of units) {
    const own = unit.changes.filter(change => wanted.has(hashOfChange(change)));
    const whole = own.length === unit.changes.length || !unit.changes.some(({required}) => required);
    if (own.length === 0 || !whole) continue;
    for (const change of own) found.push(hashOfChange(change));
    await kept.add({...unit, changes: own});
  }
  return {units: kept, found};
};

/** What was reviewed is what people saw, not the hash beside it. Throws `usage` where the two differ. */
const requireAsShown = (
  path: string,
  changes: PlanFileChange[],
  found: string[],
  shown: ShownChange[],
): void => {
  const reviewed = new Map(changes.map(({is, shown: told}) => [is, canonicalJson(told as unknown as Json)]));
  for (const [index, is] of found.entries())
    if (reviewed.get(is) !== canonicalJson(shown[index] as unknown as Json)) throw wasEdited(path);
};
