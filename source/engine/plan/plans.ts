import {SesstuiError} from '../../errors.js';
import type {Selection, ShownChange} from '../../types.js';
import {counted} from '../../words.js';
import {nameOf, readRun} from '../disk/run-files.js';
import {makeResume, type Resume} from '../run/resume.js';
import {requireFree} from '../run/run-lock.js';
import {makeUndo} from '../run/undo.js';
import {dealtReasons} from '../selecting.js';
import {withKnown} from '../shown.js';
import {guardedBy, leftAlone} from './guarded.js';
import {
  configurationOf,
  estimateOf,
  type HeldPlan,
  headerOf,
  hold,
  isDrastic,
  type Planning,
  type PlanningOptions,
  showerOf,
  shownChanges,
  shownOf,
} from './held-plan.js';
import {makePlan} from './planner.js';
import {newSeed} from './seeded.js';
import {spooled, UnitSpool} from './units.js';

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
  if (header.guards)
    throw new SesstuiError(
      'usage',
      `run ${run} is an ${header.guards.direction} of guards (${header.guards.names.join(', ')}): it has no rows to take back or finish`,
      `\`sesstui guards install ${header.check}\` and \`sesstui guards uninstall ${header.check}\` go on with it or take it back.`,
    );
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
        const guarded = await guardedBy({checker, connector, shapes}, stateDirectory, record.header, signal);
        const spool = await spooled(stateDirectory, guarded ? leftAlone(units) : units);
        return hold(planning.config, checker, {
          action: 'undo',
          notes: [
            `takes back ${record.header.action} of ${record.header.at}`,
            ...(guarded ? [guarded.note] : []),
          ],
          units: spool,
          shown: await shownChanges(spool, showerOf(connector, shapes, secrets)),
          header: {...record.header, action: 'undo', undoes: run, dropped: undefined, mends: undefined},
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
    `finishes ${header.action} of ${header.at}: ${counted(count('applied'), 'change')} ${count('applied') === 1 ? 'was' : 'were'} made, ${left} ${left === 1 ? 'is' : 'are'} left`,
    ...(unknown > 0 ? [`unknown for good: ${unknown} (the rows have been changed since by others)`] : []),
  ];
};
