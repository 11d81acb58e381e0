/** The checks, in the order in which they are listed. To add one: write its file, list it here. */
import type {CheckKind} from '../types.js';
import type {Check} from './check.js';
import {deviceSessions} from './device-sessions.js';
import {duplicates} from './duplicates.js';
import {nullIds} from './null-ids.js';
import {staleSessions} from './stale-sessions.js';

// Each check is called with the configuration of its own kind only: `checkOf` is the one way to get one.
export const checks = [duplicates, nullIds, staleSessions, deviceSessions] as unknown as Check[];

export const checkOf = (kind: CheckKind): Check => checks.find(check => check.kind === kind)!;
