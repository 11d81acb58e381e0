// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of the project, as text
// G1: nothing that was not asked for. G2: on disk before it is done. G3: writers are not held up. G4: what was cut off
// is gone on with. G5: what stood there comes back. G6: a guard keeps out what it says, and nothing else.
const engine = 'test/engine/guards.test.ts';
const postgres = 'test/connectors/postgres-guards.test.ts';
const faults = 'test/connectors/postgres-guards-faults.test.ts';
const arrays = 'test/connectors/postgres-guards-arrays.test.ts';
const arraysFaults = 'test/connectors/postgres-guards-arrays-faults.test.ts';
const gym = 'test/connectors/postgres-guards-gym.test.ts';
const rides = 'test/connectors/postgres-guards-rides.test.ts';
const mongodb = 'test/connectors/mongodb-guards.test.ts';
const mongodbRuns = 'test/connectors/mongodb-guards-runs.test.ts';
const dynamodb = 'test/connectors/dynamodb-guards.test.ts';
const readsOnly = 'a connector that only reads';
const mutation = (requirement, protection, [file, find, replace], [testFile, name], more = {}) => ({
  requirement,
  protection,
  edits: [{file, find, replace}],
  test: {file: testFile, name},
  ...more,
});
const server = {servers: ['PostgreSQL']};

export const entries = [
  mutation(
    'G1',
    'findings in the way refuse an install',
    [
      'source/engine/guards/begin.ts',
      'if (clean || Object.keys(findings).length === 0) return;',
      'if (clean || check) return;',
    ],
    [engine, 'findings in the way refuse with their count'],
  ),
  mutation(
    'G1',
    'production asks for its name before guards are changed',
    [
      'source/engine/guards/run-plan.ts',
      "import {requireConfirmations} from '../confirmations.js';",
      'const requireConfirmations = (..._given: unknown[]): void => undefined;',
    ],
    [engine, 'production asks for its name'],
  ),
  mutation(
    'G1',
    'PostgreSQL: a connector that only reads carries out no step',
    ['connectors/postgres/guards/index.ts', 'if (readOnly)', "if (readOnly && store === '')"],
    [postgres, readsOnly],
  ),
  mutation(
    'G1',
    'MongoDB: the same',
    ['connectors/mongodb/guards/index.ts', 'if (settings.readOnly)', "if (settings.store === '')"],
    [mongodb, readsOnly],
  ),
  mutation(
    'G1',
    'DynamoDB: the same',
    [
      'connectors/dynamodb/guards/index.ts',
      'if (!settings.readOnly) return;',
      'if (!settings.readOnly || settings.store) return;',
    ],
    [dynamodb, readsOnly],
  ),
  mutation(
    'G2',
    'what stood in a guard’s place is on disk before the first step',
    [
      'source/engine/guards/begin.ts',
      'before: Object.fromEntries(working.map(({name}) => [name, before[name]!])),',
      'before: {},',
    ],
    [engine, "what stood in a guard's place is on disk before the first step"],
  ),
  mutation(
    'G2',
    'a step is written down before it is carried out',
    ['source/engine/guards/steps.ts', 'if (!isTakingBack) await recorder.begun(guard.name, step);', ''],
    [engine, "what stood in a guard's place is on disk before the first step"],
  ),
  mutation(
    'G2',
    'of two installs with one state directory the later one gives way',
    ['source/engine/guards/begin.ts', 'if (!before(other)) continue;', 'if (before(other)) continue;'],
    [engine, 'a second installer in the same state directory gives way'],
  ),
  mutation(
    'G3',
    'PostgreSQL: a step lets go of its place in the queue after a moment',
    ['connectors/postgres/guards/perform.ts', '; set local lock_timeout = ${limits.lockMs}', ''],
    [faults, 'a step that needs the table for itself lets go in between'],
    server,
  ),
  mutation(
    'G3',
    'PostgreSQL: a lock that was not to be had is tried for again',
    [
      'connectors/postgres/guards/waiting.ts',
      'isRetriable(error) && performance.now()',
      'performance.now() < 0 && isRetriable(error) && performance.now()',
    ],
    [faults, 'a step that needs the table for itself lets go in between'],
    server,
  ),
  mutation(
    'G3',
    'auto-cancel waits for nobody who holds a stale session',
    ['connectors/postgres/guards/cancel-first/sql.ts', 'for update skip locked;', 'for update;'],
    [rides, 'it waits for nobody who holds the stale session'],
    server,
  ),
  mutation(
    'G3',
    'auto-cancel fails no insert when a session can’t be cancelled',
    ['connectors/postgres/guards/cancel-first/sql.ts', "raise warning 'a stale", "raise exception 'a stale"],
    [rides, 'a change that the table refuses warns, and lets the purchase pass'],
  ),
  mutation(
    'G4',
    'PostgreSQL: a broken index is dropped, and built again',
    [
      'connectors/postgres/guards/concurrent.ts',
      "if ((await indexState(schema, name, run)) === 'broken')",
      'if ((await indexState(schema, name, run)) === null)',
    ],
    [postgres, 'a broken index that a killed build left is replaced'],
  ),
  mutation(
    'G4',
    'PostgreSQL: one install at a time on a table',
    ['connectors/postgres/guards/install-lock.ts', "if (row![0] === 't') return;", 'if (row) return;'],
    [faults, 'a second install at the same time is told so'],
    server,
  ),
  mutation(
    'G4',
    'MongoDB: what another install has done since the look is no fault',
    [
      'connectors/mongodb/guards/index.ts',
      'if (isSame(task, now)) throw error;',
      'if (now !== null) throw error;',
    ],
    [mongodbRuns, 'a step that another install did between its look and its command'],
    {servers: ['MongoDB 6']},
  ),
  mutation(
    'G4',
    'an install that fails leaves what another one has finished, where no lock kept that away',
    ['source/engine/guards/run.ts', 'if (await isFinishedElsewhere(carrying)) {', 'if (carrying === null) {'],
    [mongodbRuns, 'an install that fails takes nothing out that another one has finished'],
  ),
  mutation(
    'G4',
    'the runs tell an install that was stopped from one that is done',
    [
      'source/engine/disk/run-files.ts',
      "return counts.failed + counts.unknown > 0 || stoppedBy(record) ? 'failed' : 'done';",
      "return counts.failed + counts.unknown > 0 ? 'failed' : 'done';",
    ],
    [engine, 'copies that differ and come during the install stop it'],
  ),
  mutation(
    'G4',
    'PostgreSQL: what is only for the time of an install is removed by the next one',
    [
      'connectors/postgres/guards/arrays/unique-install.ts',
      'return isUnfinished(seen) ? [tidyTask(rule, place, seen)] : [];',
      'return [];',
    ],
    [arrays, 'every step can be where an install ends'],
  ),
  mutation(
    'G4',
    'an install that fails takes out what it had put in',
    [
      'source/engine/guards/run.ts',
      'await takeBack(prepared, carrying, notes);',
      'if (notes.length < 0) await takeBack(prepared, carrying, notes);',
    ],
    [engine, 'a step that fails is told as failed, and what was put in is taken out again'],
  ),
  mutation(
    'G4',
    'MongoDB: an index that was dropped for another one comes back where documents are in the way',
    [
      'connectors/mongodb/guards/perform.ts',
      'for (const command of task.back ?? [])',
      'for (const command of (task.back ?? []).slice(0, 0))',
    ],
    [mongodb, 'duplicates in the way: again, and what was there is there'],
    {servers: ['FerretDB']},
  ),
  mutation(
    'G5',
    'an uninstall of unique puts back what had its name',
    [
      'connectors/postgres/guards/arrays/unique.ts',
      'return beforeOf(rule, await lookAtUnique(rule, place.table, run));',
      'return beforeOf(rule, await lookAtUnique(rule, place.table, run)) && null;',
    ],
    [arrays, 'what was there in its place is put back as it was'],
  ),
  mutation(
    'G5',
    'an uninstall of protect-background puts back what had its name',
    [
      'connectors/postgres/guards/undeletable/undeletable.ts',
      'function: found.function?.definition ?? null,',
      'function: null,',
    ],
    [gym, 'what had its name comes back with the uninstall, switched as it was'],
  ),
  mutation(
    'G5',
    'an uninstall of auto-cancel puts back what had its name',
    [
      'connectors/postgres/guards/cancel-first/cancel-first.ts',
      'function: seen.function?.definition ?? null,',
      'function: null,',
    ],
    [rides, 'uninstall leaves the catalogue as it was, and puts back what stood in its place'],
  ),
  mutation(
    'G5',
    'row security stays on for policies that came later',
    [
      'connectors/postgres/guards/own-rows/own-rows.ts',
      'const secured = before && (before.secured || later.length > 0);',
      'const secured = before && before.secured;',
    ],
    [gym, 'row security stays on for a policy that came after it'],
  ),
  mutation(
    'G5',
    'a function that another table’s trigger uses stays',
    [
      'connectors/postgres/guards/undeletable/undeletable.ts',
      'users.length > 0 && !before?.function',
      'users.length < 0',
    ],
    [gym, "its function stays while another table's trigger uses it"],
  ),
  mutation(
    'G5',
    'a guard that another one needs is not taken from under it',
    [
      'source/engine/guards/choosing.ts',
      'refuseNeeded(check, had, can, stateOf);',
      'refuseNeeded(check, had, [], stateOf);',
    ],
    [engine, 'unique brings the trigger that it needs'],
  ),
  mutation(
    'G5',
    'DynamoDB: an index that the guard did not make is not removed',
    ['connectors/dynamodb/guards/definition.ts', 'index.IndexName === indexNameOf(rule) &&', ''],
    [dynamodb, 'an index of another name that does the same counts, and stays'],
  ),
  mutation(
    'G6',
    'while the unique index is built, a trigger refuses a second row',
    [
      'connectors/postgres/guards/sql/meanwhile.ts',
      'if exists (select from ${table.sql} t where ${equal}) then',
      'if false then',
    ],
    [arrays, 'while it is being installed, a second row is refused by the name of the constraint'],
  ),
  mutation(
    'G6',
    'that trigger holds a lock for the key until its transaction ends',
    ['connectors/postgres/guards/sql/meanwhile.ts', 'perform pg_catalog.pg_advisory_xact_lock(${key});', ''],
    [arraysFaults, 'of two transactions with one set, the second waits for the first'],
    server,
  ),
  mutation(
    'G6',
    'an unknown type or protection counts as protected',
    ['connectors/postgres/guards/undeletable/sql.ts', ' is false)', ' is not true)'],
    [gym, 'a background, a protected and an unknown session stay'],
  ),
  mutation(
    'G6',
    'only a transaction that says sesstui.allow deletes background sessions',
    [
      'connectors/postgres/guards/undeletable/sql.ts',
      "current_setting('sesstui.allow', true) = 'on'",
      "current_setting('sesstui.allow', true) is distinct from 'off'",
    ],
    [gym, 'a background, a protected and an unknown session stay'],
  ),
  mutation(
    'G6',
    'a run of the engine says so for its own transaction only',
    ['connectors/postgres/apply.ts', "set local sesstui.allow = 'on'", "set sesstui.allow = 'on'"],
    [
      'test/connectors/postgres-guards-gym-runs.test.ts',
      'a run that the engine makes lets nobody else through',
    ],
  ),
  mutation(
    'G6',
    'no operator or function that somebody puts in front is found by a guard’s',
    [
      'connectors/postgres/guards/device-sessions/spot.ts',
      "safePath = 'set search_path = pg_catalog, pg_temp'",
      "safePath = 'volatile'",
    ],
    [gym, 'an operator that somebody puts in front does not open it'],
  ),
  mutation(
    'G6',
    'MongoDB: the validator becomes strict only when no document violates it',
    ['connectors/mongodb/guards/valid-id.ts', 'blocked: counts !== null && counts.mendable > 0,', ''],
    [mongodb, 'proves itself on a scratch collection'],
  ),
  mutation(
    'G6',
    'DynamoDB: rows that an index can’t hold are found before it is built',
    ['connectors/dynamodb/guards/key-types.ts', 'if (others.size === 0) continue;', 'if (others) continue;'],
    [dynamodb, 'what the first thousand rows do not show is found before anything is built'],
  ),
];
