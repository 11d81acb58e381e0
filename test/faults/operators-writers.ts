/**
 * Hot writers: they stamp, add and remove rows of the very groups that the operators clean, until they are stopped.
 * Rows are added to every other group only: a row that came would hide that a group had lost its last one.
 */
import type {Stored, System} from './operators-system.js';

/** What the store has acknowledged to the writers. */
export type Written = {
  /** Rows that a writer wrote last, with what it left. */
  stamped: Map<string, Stored>;
  removed: Set<string>;
};

const writers = 2;
/** More than that, and there would be no row left as it was planned before an operator comes to it. */
const mostSteps = 40;

export const startWriters = (system: System, seed: Map<string, Stored>) => {
  const written: Written = {stamped: new Map(), removed: new Set()};
  let stopped = false;
  const seeded = [...seed].map(([name, {group}]) => ({name, group}));
  const groups = [...new Set(seeded.map(({group}) => group))];
  const hot = groups.filter((_, index) => index % 2 === 1);
  const any = <T>(items: T[]): T => items[Math.floor(Math.random() * items.length)]!;

  // Each row belongs to one writer: the order of what was acknowledged is then the order in which it was done.
  const work = async (writer: number): Promise<void> => {
    const own = seeded.filter((_, index) => index % writers === writer);
    for (let step = 0; !stopped && own.length > 0 && step < mostSteps; step++) {
      const row = any(own);
      // A row that was touched is left alone by both: those of the quiet groups seldom are.
      if (!hot.includes(row.group) && Math.random() < 0.9) {
        await new Promise(setImmediate);
        continue;
      }
      const stamp = `w${writer}-${step}`;
      const dice = Math.random();
      if (dice < 0.65) {
        if (await system.touch(row.name, stamp, row.group))
          written.stamped.set(row.name, {group: row.group, stamp});
      } else if (dice < 0.9) {
        const group = any(hot);
        const name = `${group}-${stamp}`;
        if (await system.insert(group, name, stamp)) {
          written.stamped.set(name, {group, stamp});
          own.push({name, group});
        }
      } else if ((system.guarded || row.group === groups[0]) && (await system.remove(row.name, row.group))) {
        written.removed.add(row.name);
        written.stamped.delete(row.name);
        own.splice(own.indexOf(row), 1);
      }
    }
  };

  const working = Promise.all(Array.from({length: writers}, (_, writer) => work(writer)));
  return {
    /** Lets each finish what it is at; what they did. */
    stop: async (): Promise<Written> => {
      stopped = true;
      await working;
      return written;
    },
  };
};
