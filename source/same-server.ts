/** Whether two ids that a connector gave (`Connector.server`) are those of one server. */

/** The name of a replica set, its members, and the database. */
const replicaSet = /^mongodb:\/\/([^/]+)\/([^/]+)\/(.*)$/;

/**
 * A replica set gains and loses members, and what was made on it can be taken back all the same: it is the same one as
 * long as its name and the database are, and one member is left.
 */
export const isSameServer = (a: string, b: string): boolean => {
  if (a === b) return true;
  const [one, other] = [replicaSet.exec(a), replicaSet.exec(b)];
  if (!one || !other || one[1] !== other[1] || one[3] !== other[3]) return false;
  const members = other[2]!.split(',');
  return one[2]!.split(',').some(member => members.includes(member));
};
