/** What each rides function cancels: the reasons that it deals with, and which threshold its age stands for. */
import {parseDuration} from '../config/duration.js';
import type {Kind} from './rides-jobs.js';

const longer = (a: string, b: string): string => (parseDuration(a) > parseDuration(b) ? a : b);

export const kinds = {
  checkCustomerSessionStatus: {name: 'checkCustomerSessionStatus', aged: null},
  cleanupCustomerWaitingSessions: {
    name: 'cleanupCustomerWaitingSessions',
    reasons: ['very-stale-waiting', 'stale-waiting'],
    aged: (config, age) => ({
      ...config,
      waitingAfter: age,
      // What is very stale is cancelled as well: not before it is stale.
      veryStaleAfter: longer(age, config.veryStaleAfter),
    }),
  },
  cleanupExpiredRequests: {
    name: 'cleanupExpiredRequests',
    reasons: ['expired-request'],
    aged: (config, age) => ({...config, requestAfter: age}),
  },
  cleanupOrphanedSessions: {
    name: 'cleanupOrphanedSessions',
    reasons: ['orphaned'],
    aged: (config, age) => ({...config, orphanedAfter: age}),
  },
  runFullCleanup: {name: 'runFullCleanup', aged: null},
} satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;
