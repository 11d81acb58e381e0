/** What a step comes down to: commands, and what to do where documents are in their way. */
import {EJSON} from 'bson';
import type {Document} from 'mongodb';
import type {GuardPhase, GuardStep} from '../../../source/guards.js';

export type Command = {
  document: Document;
  /** It takes as long as the collection is large; the others end in a moment once they have their lock. */
  long?: boolean;
  /** It may take as long as the collection is large, and holds a lock meanwhile: it is tried for longer each time. */
  lengthening?: boolean;
  /** The server's codes that say that it is done already. */
  done?: number[];
};

export type Task = {
  name: string;
  phase: GuardPhase;
  text: string;
  commands: Command[];
  /** Puts back what the commands took away, where duplicates were in the way of the rest. */
  back?: Command[];
  /** Documents that an action can mend are in its way: nothing is done before they are. */
  blocked?: boolean;
  /** Documents that nobody mends are in its way: it is left out. */
  skipped?: boolean;
};

const noIndex = 27;

export const dropIndex = (table: string, name: string): Command => ({
  document: {dropIndexes: table, index: name},
  done: [noIndex],
});

/** Without the version of its format where that is today's: FerretDB tells it, and refuses to be told. */
export const createIndex = (table: string, {v, ...spec}: Document): Command => ({
  document: {createIndexes: table, indexes: [v === undefined || Number(v) === 2 ? spec : {v, ...spec}]},
  long: true,
});

/** As it would be typed in mongosh. */
const statementOf = (database: string, {document}: Command): string =>
  `db.getSiblingDB(${JSON.stringify(database)}).runCommand(${EJSON.stringify(document, {relaxed: true})})`;

export const stepOf = (database: string, {name, phase, text, commands}: Task): GuardStep => ({
  name,
  phase,
  text,
  statements: commands.map(command => statementOf(database, command)),
});
