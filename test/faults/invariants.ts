/** What must hold after every fault (safety, the end of the table), asked of the stores and files themselves. */
import {readdir, readFile, utimes} from 'node:fs/promises';
import {join} from 'node:path';
import {changedRows, type Rows, type Scenario} from './scenario.js';

type Line = Record<string, unknown>;

/** The lines of a file that are whole; none where there is no file. */
export const linesOf = async (path: string): Promise<Line[]> =>
  (await readFile(path, 'utf8').catch(() => '')).split('\n').flatMap(line => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });

/** The names of the runs that have a directory, in the order in which they began. */
export const runsOf = async (state: string): Promise<string[]> =>
  (await readdir(join(state, 'runs')).catch(() => [])).filter(name => /^\d{8}T/.test(name)).sort();

export type RunOnDisk = {planned: Line[]; backups: Line[]; isWhole: boolean; journal: Line[]};

export const runOnDisk = async (state: string, run: string): Promise<RunOnDisk> => {
  const directory = join(state, 'runs', run);
  const backup = await linesOf(join(directory, 'backup.jsonl'));
  return {
    planned: (await linesOf(join(directory, 'plan.jsonl'))).filter(line => 'op' in line),
    backups: backup.filter(line => 'image' in line),
    isWhole: backup.some(line => 'chain' in line),
    journal: await linesOf(join(directory, 'journal.jsonl')),
  };
};

const nameOf = (line: Line): string => `${line.unit} ${line.change}`;

/** What is wrong with the rows: groups that lost their last one, rows that nothing may touch. */
export const rowProblems = (scenario: Scenario, before: Rows, now: Rows): string[] => {
  const problems: string[] = [];
  for (const [table, was] of Object.entries(before)) {
    const is = now[table]!;
    const groups = (rows: Map<string, string>): Set<string> =>
      new Set(
        [...rows]
          .map(([key, text]) => scenario.groupOf(table, key, text))
          .filter(group => group !== null) as string[],
      );
    const left = groups(is);
    for (const group of groups(was))
      if (!left.has(group)) problems.push(`${table}: group ${group} lost its last row`);
    for (const [key, text] of was)
      if (!scenario.mayChange(table, key, text) && is.get(key) !== text)
        problems.push(`${table}: ${key} was touched`);
  }
  return problems;
};

/** What is wrong between rows and files: written ⊆ backed up ⊆ planned, and an intent for what was written. */
export const backupProblems = async (
  scenario: Scenario,
  state: string,
  before: Rows,
  now: Rows,
): Promise<string[]> => {
  const written = changedRows(before, now);
  const [run] = await runsOf(state);
  if (run === undefined) return written.length > 0 ? ['rows were written without a run'] : [];
  const {planned, backups, isWhole, journal} = await runOnDisk(state, run);
  const problems: string[] = [];
  if (written.length > 0 && !isWhole) problems.push('rows were written before the backup was whole');
  const plans = new Set(planned.map(nameOf));
  for (const backup of backups)
    if (!plans.has(nameOf(backup))) problems.push(`backup ${nameOf(backup)} is not in the plan`);
  const inserts = new Set(planned.filter(({op}) => op === 'insert').map(nameOf));
  const byKey = new Map(
    backups
      .filter(backup => !inserts.has(nameOf(backup)))
      .map(backup => [
        `${backup.table} ${scenario.keyOf((backup.identity as {at: Record<string, unknown>}).at)}`,
        backup,
      ]),
  );
  const isIntended = (unit: unknown): boolean =>
    journal.some(
      ({event, from, to}) => event === 'intent' && Number(from) <= Number(unit) && Number(unit) < Number(to),
    );
  const added = written.filter(({table, key}) => !before[table]!.has(key));
  if (added.length > inserts.size)
    problems.push(`${added.length} rows are new, ${inserts.size} were planned`);
  for (const {table, key} of written) {
    if (!before[table]!.has(key)) continue;
    const backup = byKey.get(`${table} ${key}`);
    if (!backup) problems.push(`${table}: ${key} was written and is not backed up`);
    else if (!isIntended(backup.unit)) problems.push(`${table}: ${key} was written without an intent`);
  }
  return problems;
};

/** How many changes the audit log says a run made: what its last line with an outcome tells. */
export const auditedChanges = async (state: string, run: string): Promise<number | null> => {
  const lines = (await linesOf(join(state, 'audit.jsonl'))).filter(
    line => line.run === run && typeof line.applied === 'number',
  );
  return (lines.at(-1)?.applied as number | undefined) ?? null;
};

/** As if minutes had passed: locks that a dead process left are old enough to be broken. */
export const ageLocks = async (state: string): Promise<void> => {
  const long = new Date(Date.now() - 10 * 60_000);
  for (const entry of await readdir(state, {recursive: true, withFileTypes: true}).catch(() => []))
    if (/^(?:.*\.)?lock$/.test(entry.name))
      await utimes(join(entry.parentPath ?? entry.path, entry.name), long, long).catch(() => undefined);
};
