/**
 * Does the server need a rest? `hello` tells everyone how far the majority is behind the primary; how far each
 * member is, whether the primary itself slows writers down (flow control) and how many operations queue is told
 * where the user's roles allow it (clusterMonitor). Servers that have none of it are under no strain that shows.
 */
import type {Document} from 'mongodb';
import type {Access} from './client.js';

/** Moments of the oplog are told in whole seconds, so that one second apart may be nothing. */
const lagLimitMs = 2000;
/** Operations that wait for a ticket or a lock; a few always do on a busy server. */
const queueLimit = 20;
/** The questions' own time limit on the server. */
export const questionLimitMs = 1000;

/** What was answered; null where it was refused or is not known. */
export type Answers = {
  hello: Document | null;
  /** replSetGetStatus, and the `config` of replSetGetConfig. */
  status: Document | null;
  config: Document | null;
  /** serverStatus. */
  server: Document | null;
};

type Member = {name: string; ms: number};

const msOf = (value: unknown): number | null => (value instanceof Date ? value.getTime() : null);
const seconds = (ms: number): string => (ms / 1000).toFixed(0);

const majorityLag = (hello: Document | null): number => {
  const last = msOf(hello?.lastWrite?.lastWriteDate);
  const majority = msOf(hello?.lastWrite?.majorityWriteDate);
  return last === null || majority === null ? 0 : last - majority;
};

/** The member that is furthest behind, apart from what it is behind on purpose. Those that are down are left out. */
const furthest = ({status, config}: Answers): Member | null => {
  const members: Document[] = Array.isArray(status?.members) ? status.members : [];
  const primary = msOf(members.find(({state}) => state === 1)?.optimeDate);
  if (primary === null) return null;
  const lags = members
    .filter(({state, health}) => state === 2 && health === 1)
    .map(({_id, name, optimeDate}) => {
      const own = config?.members?.find((member: Document) => member._id === _id);
      const delayMs = Number(own?.secondaryDelaySecs ?? own?.slaveDelay ?? 0) * 1000;
      return {name: String(name), ms: primary - (msOf(optimeDate) ?? primary) - delayMs};
    });
  return lags.sort((a, b) => b.ms - a.ms)[0] ?? null;
};

const isBehind = (member: Member | null): member is Member => member !== null && member.ms >= lagLimitMs;

/** Why the server should be given a rest, by what it answered; null when it shouldn't. Pure. */
export const strainOf = (answers: Answers): string | null => {
  const member = furthest(answers);
  if (member && member.ms >= lagLimitMs)
    return `${member.name} is ${seconds(member.ms)} s behind the primary`;
  const majority = majorityLag(answers.hello);
  if (majority >= lagLimitMs) return `most members are ${seconds(majority)} s behind the primary`;
  const {flowControl, globalLock} = answers.server ?? {};
  if (flowControl?.enabled === true && flowControl.isLagged === true)
    return 'the server slows writers down until its members have caught up (flow control)';
  const queued = Number(globalLock?.currentQueue?.total ?? 0);
  return queued > queueLimit ? `${queued} operations wait in the server's queue` : null;
};

/** Sections that cost something and are not looked at. */
const left = {metrics: 0, locks: 0, wiredTiger: 0, tcmalloc: 0, opLatencies: 0, transactions: 0, repl: 0};
const questions = {
  hello: {hello: 1},
  status: {replSetGetStatus: 1, initialSync: 0},
  config: {replSetGetConfig: 1},
  server: {serverStatus: 1, ...left},
};
type Name = keyof typeof questions;

/** Asks what is still answered: what was refused once (by right, or by kind of server) is not asked again. */
export const openStrain = (): ((access: Access) => Promise<string | null>) => {
  const refused = new Set<Name>();
  const ask = async ({db, signal}: Access, name: Name): Promise<Document | null> => {
    if (refused.has(name)) return null;
    try {
      const command = {...questions[name], maxTimeMS: questionLimitMs};
      // Not by admin(), which does not pass the signal on.
      return await db.client.db('admin').command(command, signal ? {signal} : {});
    } catch (error) {
      if (typeof (error as {code?: unknown}).code === 'number' && !isPassing(error)) refused.add(name);
      return null;
    }
  };
  return async access => {
    const names: Name[] = ['hello', 'status', 'server'];
    const [hello, status, server] = await Promise.all(names.map(name => ask(access, name)));
    const answers = {hello: hello!, status: status!, server: server!, config: null};
    const why = strainOf(answers);
    // Only now does it matter who is behind on purpose.
    if (why === null || !isBehind(furthest(answers))) return why;
    return strainOf({...answers, config: (await ask(access, 'config'))?.config ?? null});
  };
};

/** Out of time, interrupted, or in the middle of an election. */
const isPassing = (error: unknown): boolean =>
  [50, 262, 11600, 11601, 11602, 10107, 13435, 13436, 91, 189].includes((error as {code: number}).code);
