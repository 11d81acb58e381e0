/** Opens the library: configuration, engine, logger; and what holds for every call. */
import {environmentSecrets} from '../config/environment.js';
import {configFromObject, type LoadedConfig, loadConfig} from '../config/load.js';
import type {OpenConnector} from '../engine/stores.js';
import {asSesstuiError} from '../errors.js';
import {defaultStateDirectory, openConfigured} from '../opening.js';
import {createRedactor} from '../redact.js';
import {redactedError} from '../redacting.js';
import {attributesFrom, optionsFrom, whichFrom} from './arguments.js';
import {Calls} from './calls.js';
import {ensureConversation, startConversation} from './chat.js';
import {
  createDeviceSession,
  deleteExpiredDeviceSessions,
  getBackgroundSession,
  login,
  logoutDevice,
  upsertBackgroundSession,
} from './gym.js';
import {upsertSession} from './kite.js';
import {safeLogger} from './logger.js';
import {makeLibraryContext, requireWritable} from './make-context.js';
import {publishSessionKeys} from './registry.js';
import {Rides} from './rides.js';
import type {Sesstui, SesstuiOptions} from './sesstui.js';

const load = (config: SesstuiOptions['config']): Promise<LoadedConfig> | LoadedConfig =>
  typeof config === 'string'
    ? loadConfig({file: config, cwd: process.cwd(), env: process.env})
    : configFromObject(config);

/** As `openSesstui`, with the connectors given. */
export const open = async (given: SesstuiOptions, openConnector: OpenConnector): Promise<Sesstui> => {
  const options = optionsFrom(given);
  const {readOnly, timeoutMs, allowScan} = options;
  const loaded = await load(options.config);
  const redact = createRedactor([...environmentSecrets(process.env), ...loaded.canaries]);
  const engine = openConfigured(loaded, openConnector, {
    stateDirectory: options.stateDirectory ?? (await defaultStateDirectory()),
    redact,
    readOnly,
    timeoutMs,
    allowScan,
  });
  const {context, close} = makeLibraryContext(engine, safeLogger(options.logger, redact));
  const calls = new Calls(error => asSesstuiError(redactedError(asSesstuiError(error), redact)));
  const rides = new Rides(context, calls.closing);
  /** Refused before anything is asked where nothing may be written, also when there is nothing to write. */
  const writing = <T>(work: () => Promise<T>): Promise<T> =>
    calls.run(async () => {
      requireWritable(engine);
      return work();
    });
  return {
    checkCustomerSessionStatus: (customerId, which) =>
      writing(() => rides.checkCustomerSessionStatus(customerId, whichFrom(which))),
    cleanupCustomerWaitingSessions: (customerId, maxAgeMinutes, which) =>
      writing(() => rides.cleanupCustomerWaitingSessions(customerId, maxAgeMinutes, whichFrom(which))),
    cleanupExpiredRequests: (maxAgeMinutes, which) =>
      writing(() => rides.cleanAll('cleanupExpiredRequests', maxAgeMinutes, whichFrom(which))),
    cleanupOrphanedSessions: (maxAgeMinutes, which) =>
      writing(() => rides.cleanAll('cleanupOrphanedSessions', maxAgeMinutes, whichFrom(which))),
    runFullCleanup: which => writing(() => rides.cleanAll('runFullCleanup', undefined, whichFrom(which))),
    healthReport: () => calls.run(() => engine.health()),
    upsertSession: (input, which) =>
      writing(() => upsertSession(context, attributesFrom(input, 'upsertSession'), whichFrom(which))),
    startConversation: (input, which) =>
      writing(() =>
        startConversation(
          context,
          attributesFrom(input === undefined ? {} : input, 'startConversation'),
          whichFrom(which),
        ),
      ),
    ensureConversation: (input, which) =>
      writing(() =>
        ensureConversation(context, attributesFrom(input, 'ensureConversation'), whichFrom(which)),
      ),
    login: (input, which) => writing(() => login(context, attributesFrom(input, 'login'), whichFrom(which))),
    upsertBackgroundSession: (input, which) =>
      writing(() =>
        upsertBackgroundSession(context, attributesFrom(input, 'upsertBackgroundSession'), whichFrom(which)),
      ),
    getBackgroundSession: (email, which) =>
      calls.run(() => getBackgroundSession(context, email, whichFrom(which))),
    createDeviceSession: (input, which) =>
      writing(() =>
        createDeviceSession(context, attributesFrom(input, 'createDeviceSession'), whichFrom(which)),
      ),
    logoutDevice: (fingerprint, which) => writing(() => logoutDevice(context, fingerprint, whichFrom(which))),
    deleteExpiredDeviceSessions: which =>
      writing(() => deleteExpiredDeviceSessions(context, whichFrom(which))),
    publishSessionKeys: (keys, which) =>
      writing(() =>
        publishSessionKeys(context, attributesFrom(keys, 'publishSessionKeys'), whichFrom(which)),
      ),
    close: () =>
      calls.close(async () => {
        await close();
        await engine.close();
      }),
  };
};
