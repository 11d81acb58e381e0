/** Work on one thing at a time, in the order in which it was asked for, among all connections of this process. */

const last = new Map<string, Promise<unknown>>();

/** Runs the work when every one before it under the same name has ended, however it did. */
export const inTurn = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
  const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
  last.set(name, turn);
  try {
    return await turn;
  } finally {
    if (last.get(name) === turn) last.delete(name);
  }
};
