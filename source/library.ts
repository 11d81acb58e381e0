/** The package's root: the functions for the applications whose sessions these are (contract: Library). */
import {openConnector} from '../connectors/index.js';
import {open} from './library/open.js';
import type {Sesstui, SesstuiOptions} from './library/sesstui.js';

/**
 * Opens the library on a configuration. Connects to nothing: each store is connected by the first call that needs it,
 * and only its driver is loaded. Rejects with `config` where the configuration is missing or wrong.
 */
export const openSesstui = (options: SesstuiOptions): Promise<Sesstui> => open(options, openConnector);

export type {HealthReport} from './engine/health.js';
export {type ErrorCode, SesstuiError} from './errors.js';
export type {Conversation} from './library/chat.js';
export type {Logger, Which} from './library/context.js';
export {backgroundFingerprint, type GymColumns, type GymSession, type Login} from './library/gym.js';
export type {Expired, LoggedOut} from './library/gym-clean.js';
export type {UpsertedSession} from './library/kite.js';
export type {SessionKeys} from './library/registry.js';
export type {Confirming, CustomerStatus} from './library/rides.js';
export type {CleanupStatistics} from './library/rides-jobs.js';
export type {BlockedBy} from './library/rides-look.js';
export type {Sesstui, SesstuiConfig, SesstuiOptions} from './library/sesstui.js';
