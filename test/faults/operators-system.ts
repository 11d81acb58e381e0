/** What the rounds of two operators need of a store: its rows told by name, and writers that know nothing of sesstui. */
import type {Image} from '../../source/connector.js';
import type {ShownChange} from '../../source/types.js';
import type {Task} from './operator-process.js';

export type Stored = {group: string; stamp: string};

/** What the two are told to do. `calm`: no writers beside them. */
export type Pair = {name: string; tasks: [Task, Task]; calm?: boolean};

export type System = {
  name: string;
  server: string;
  config: object;
  pairs: Pair[];
  /** True where a writer can leave a group its last row; else writers remove rows of the first group only. */
  guarded: boolean;
  /** Empties the table and fills it; the rows by name. */
  reset(groups?: number): Promise<Map<string, Stored>>;
  rows(): Promise<Map<string, Stored>>;
  /** Which row each account refers to, where there are accounts; by group. */
  references?(): Promise<Map<string, string | null>>;
  /** A writer's work; true when the store has acknowledged it. */
  touch(name: string, stamp: string, group: string): Promise<boolean>;
  insert(group: string, name: string, stamp: string): Promise<boolean>;
  remove(name: string, group: string): Promise<boolean>;
  /** Of an account: `accounts/` and its group. */
  nameOf(change: ShownChange): string;
  /** Does a backed-up image hold this row? */
  holds(image: Image, name: string): boolean;
  close(): Promise<void>;
};

/** The rows of a round: some groups of two, three and four. */
export const seedRows = (groups = 6): {group: string; name: string; order: number}[] =>
  Array.from({length: groups}, (_, group) =>
    Array.from({length: 2 + (group % 3)}, (_, order) => ({
      group: `g${group}`,
      name: `g${group}-${order}`,
      order,
    })),
  ).flat();
