/** Hot writers: they stamp, add and remove rows of the very groups that the operators clean, until they are stopped. */
import type {Stored, System} from './operators-system.js';

/** What the store has acknowledged to the writers. */
export type Written = {
  /** Rows that a writer wrote last, with what it left. */
  stamped: Map<string, Stored>;
  removed: Set<string>;
};

const writers = 2;

export const startWriters = (system: System, seed: Map<string, Stored>) => {
  const written: Written = {stamped: new Map(), removed: new Set()};
  let stopped = false;
  const seeded = [...seed].map(([name, {group}]) => ({name, group}));
  const groups = [...new Set(seeded.map(({group}) => group))];
  const any = <T>(items: T[]): T => items[Math.floor(Math.random() * items.length)]!;

  // Each row belongs to one writer: the order of what was acknowledged is then the order in which it was done.
  const work = async (writer: number): Promise<void> => {
    const own = seeded.filter((_, index) => index % writers === writer);
    for (let step = 0; !stopped; step++) {
      const row = any(own);
      const stamp = `w${writer}-${step}`;
      const dice = Math.random();
      if (dice < 0.6) {
        if (await system.touch(row.name, stamp)) written.stamped.set(row.name, {group: row.group, stamp});
      } else if (dice < 0.8) {
        const group = any(groups);
        const name = `${group}-${stamp}`;
        if (await system.insert(group, name, stamp)) {
          written.stamped.set(name, {group, stamp});
          own.push({name, group});
        }
      } else if ((system.guarded || row.group === groups[0]) && (await system.remove(row.name, row.group))) {
        written.removed.add(row.name);
        written.stamped.delete(row.name);
        own.splice(own.indexOf(row), 1);
        if (own.length === 0) return;
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
