/** What the server says to a user without the right: it quotes the whole command, with the documents in it. */

/** The right that a command takes, and the built-in role that has it. */
const rights: Record<string, [right: string, role: string]> = {
  find: ['find', 'read'],
  aggregate: ['find', 'read'],
  count: ['find', 'read'],
  listCollections: ['listCollections', 'read'],
  listIndexes: ['listIndexes', 'read'],
  findAndModify: ['find, update and remove', 'readWrite'],
  insert: ['insert', 'readWrite'],
  update: ['update', 'readWrite'],
  delete: ['remove', 'readWrite'],
  create: ['createCollection', 'readWrite'],
  drop: ['dropCollection', 'readWrite'],
  createIndexes: ['createIndex', 'readWrite'],
  dropIndexes: ['dropIndex', 'readWrite'],
  collMod: ['collMod', 'dbAdmin'],
};

const refusal = /not authorized on (\S+) to execute command \{ (\w+): (?:"((?:[^"\\]|\\.)*)")?[\s\S]*$/;

/** The same in a sentence that says what right is missing, and quotes nothing; any other text as it is. */
export const inWords = (text: string): string =>
  text.replace(refusal, (_, database: string, command: string, table: string | undefined) => {
    const place = table === undefined ? `the database ${database}` : `${database}.${table}`;
    const [right, role] = rights[command] ?? [command, null];
    return `this user has no right to ${right} on ${place}${role === null ? '' : ` (the role ${role} has it)`}`;
  });
