/** Writers beside an install of guards: a hundred writes a second each, where the store can, until they are stopped. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {vi} from 'vitest';
import {runsOf} from './invariants.js';

/** What became of the writes of all writers of a kind. */
export type Tally = {
  /** A token of each row that the store said it had stored, and that nobody was told is deleted. */
  stored: Set<string>;
  /** Writes that were refused, by code. */
  refused: Map<string, number>;
  writes: number;
};

export type Writer = {
  /** A correct writer is never to be refused; a faulty one only with these codes. */
  refusals: string[];
  /** One thing that the application does; the rows that are there after it. */
  step(count: number, tally: Tally): Promise<void>;
  close?(): Promise<void>;
};

export type Writing = {
  tally: Tally;
  /** Writes of correct writers that failed, and of faulty ones with a code that is not the guards'. */
  errors: string[];
  /** Resolves when each of them has made so many more steps. */
  more(steps: number): Promise<void>;
  stop(): Promise<void>;
};

/** Several systems share the machine's cores with them. */
const paceMs = 10;

const codeOf = (error: unknown): string => {
  const {code, name} = error as {code?: unknown; name?: string};
  return String(code ?? name);
};

export const startWriters = (writers: Writer[]): Writing => {
  const tally: Tally = {stored: new Set(), refused: new Map(), writes: 0};
  const errors: string[] = [];
  const steps = writers.map(() => 0);
  let stopped = false;
  const loop = async ({refusals, step}: Writer, index: number): Promise<void> => {
    while (!stopped) {
      await step(steps[index]!, tally).catch(error => {
        const code = codeOf(error);
        tally.refused.set(code, (tally.refused.get(code) ?? 0) + 1);
        if (!refusals.includes(code)) errors.push(`writer ${index}: ${code} ${(error as Error).message}`);
      });
      steps[index]!++;
      await pause(paceMs);
      tally.writes++;
    }
  };
  const ended = Promise.all(writers.map(loop));
  return {
    tally,
    errors,
    async more(count) {
      const goal = steps.map(made => made + count);
      await vi.waitUntil(() => steps.every((made, index) => made >= goal[index]!), {timeout: 60_000});
    },
    async stop() {
      stopped = true;
      await ended;
      await Promise.all(writers.map(writer => writer.close?.()));
    },
  };
};

/** Rows that the store had taken and that are neither there nor in the backup of a run. */
export const lostRows = async ({stored}: Tally, rows: string, state: string): Promise<string[]> => {
  const lost = [...stored].filter(token => !rows.includes(token));
  if (lost.length === 0) return [];
  const backups: string[] = [];
  for (const run of await runsOf(state))
    backups.push(await readFile(join(state, 'runs', run, 'backup.jsonl'), 'utf8').catch(() => ''));
  const all = backups.join('\n');
  return lost.filter(token => !all.includes(token));
};
