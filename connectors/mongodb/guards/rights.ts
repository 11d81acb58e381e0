/** Whether this user may do what a guard takes, so that an install is refused before anything is written. */
import type {Document} from 'mongodb';
import {SesstuiError} from '../../../source/errors.js';
import type {Access} from '../client.js';
import {signalOf} from './seen.js';
import type {Task} from './task.js';

const actionOf: Record<string, string> = {
  createIndexes: 'createIndex',
  dropIndexes: 'dropIndex',
  collMod: 'collMod',
};

const covers = (resource: Document | undefined, database: string, table: string): boolean =>
  resource?.anyResource === true ||
  (['', database].includes(resource?.db) && ['', table].includes(resource?.collection));

/** The actions among these that a user with such privileges may not take on a collection. Pure. */
export const lacking = (
  actions: string[],
  privileges: {resource?: Document; actions?: string[]}[],
  database: string,
  table: string,
): string[] =>
  actions.filter(
    action =>
      !privileges.some(
        privilege =>
          covers(privilege.resource, database, table) &&
          (privilege.actions?.includes(action) || privilege.actions?.includes('anyAction')),
      ),
  );

/** Throws `refused` where the server says that this user may not; a server without users says nothing. */
export const requireRights = async (access: Access, table: string, tasks: Task[]): Promise<void> => {
  const {db, limit} = access;
  const documents = tasks.flatMap(({commands}) => commands.map(({document}) => document));
  const actions = [
    ...new Set(documents.map(document => actionOf[Object.keys(document)[0]!]!).filter(Boolean)),
  ];
  if (actions.length === 0) return;
  const question = {connectionStatus: 1, showPrivileges: true, ...limit};
  const {authInfo} = await db.command(question, signalOf(access)).catch(() => ({authInfo: null}));
  // Without a user the server asks for none, or has refused everything before this.
  if (!authInfo?.authenticatedUsers?.length || !Array.isArray(authInfo.authenticatedUserPrivileges)) return;
  const missing = lacking(actions, authInfo.authenticatedUserPrivileges, db.databaseName, table);
  if (missing.length === 0) return;
  throw new SesstuiError(
    'refused',
    `This user has no right to ${missing.join(' and ')} on ${db.databaseName}.${table}, which the guards of it take.`,
    'The role dbAdmin of this database has it. Nothing was changed.',
  );
};
