/** A plan with what is needed to carry it out, and what all kinds of plans are made of. */
import type {Shapes} from '../../checks/check.js';
import {type Config, environmentName} from '../../config/schema.js';
import {type Change, type Connector, canonicalJson, type Unit} from '../../connector.js';
import type {Plan, Progress, Selection, ShownChange} from '../../types.js';
import type {Json} from '../../values.js';
import type {Checker} from '../checker.js';
import {confirmationsFor} from '../confirmations.js';
import type {PlanHeader, RunRecord} from '../disk/run-files.js';
import {sha256} from '../disk/state-files.js';
import type {Resume} from '../run/resume.js';
import {showChange, statementsOf} from '../shown.js';
import type {MadePlan, PlanOptions} from './planner.js';
import type {UnitSpool} from './units.js';

type Header = Omit<PlanHeader, 'run' | 'at' | 'by' | 'planned' | 'note'>;

/** A plan with what only the engine needs to carry it out. */
export type HeldPlan = Plan & {
  held: {
    checker: Checker;
    units: UnitSpool;
    header: Header;
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

export type PlanningOptions = {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** See the planner. */
  only?: PlanOptions['only'];
};

export type Planning = {
  config: Config;
  stateDirectory: string;
  allowScan?: boolean;
  find: (check: string) => Checker;
  checkers: Checker[];
};

/** How changes are told; the connector has to have seen their tables. */
export const showerOf = (
  connector: Connector,
  shapes: Shapes,
  secrets: string[],
): ((change: Change) => ShownChange) => {
  const keys = Object.fromEntries(Object.values(shapes).map(shape => [shape.table, shape.key]));
  return change => showChange(change, connector, secrets, keys);
};

/** Every change of a plan as people read it, in the plan's order. */
export const shownChanges = async (
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

export const hold = (config: Config, checker: Checker, about: About): HeldPlan => {
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
    confirmations,
    estimatedRows,
    ...(about.resume ? {resumes: about.resume.record.header.run} : {}),
    held: {
      checker,
      units,
      header,
      secrets: about.secrets ?? checker.config.secrets,
      takenBefore: about.takenBefore ?? 0,
      undone: about.undone ?? null,
      resume: about.resume ?? null,
      note: about.note ?? null,
      source: about.source ?? null,
    },
  };
};

export const headerOf = async (
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
    drastic: isDrastic(checker, action),
    secrets: checker.config.secrets,
    configuration: configurationOf(checker),
  },
});

export const configurationOf = (checker: Checker): string =>
  sha256(canonicalJson(checker.config as unknown as Json));

export const isDrastic = (checker: Checker, action: string): boolean =>
  checker.check.actions.find(({name}) => name === action)?.drastic ?? false;

export const estimateOf = (checker: Checker, shapes: Shapes): number | null =>
  shapes[checker.check.table(checker.config)]?.estimatedRows ?? null;

export const shownOf = (checker: Checker, made: MadePlan, units: UnitSpool): Promise<ShownChange[]> =>
  checker.store.ask(connector =>
    shownChanges(units, showerOf(connector, made.opened.shapes, checker.config.secrets)),
  );
