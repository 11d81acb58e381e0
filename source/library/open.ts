/** Opens the library: configuration, engine, logger; and what holds for every call. */
import {environmentSecrets} from '../config/environment.js';
import {configFromObject, type LoadedConfig, loadConfig} from '../config/load.js';
import type {OpenConnector} from '../engine/stores.js';
import {asSesstuiError} from '../errors.js';
import {defaultStateDirectory, openConfigured} from '../opening.js';
import {createRedactor} from '../redact.js';
import {redactedError} from '../redacting.js';
import {Calls} from './calls.js';
import {safeLogger} from './logger.js';
import {makeLibraryContext} from './make-context.js';
import {Rides} from './rides.js';
import type {Sesstui, SesstuiOptions} from './sesstui.js';

const load = (config: SesstuiOptions['config']): Promise<LoadedConfig> | LoadedConfig =>
  typeof config === 'string'
    ? loadConfig({file: config, cwd: process.cwd(), env: process.env})
    : configFromObject(config);

/** As `openSesstui`, with the connectors given. */
export const open = async (options: SesstuiOptions, openConnector: OpenConnector): Promise<Sesstui> => {
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
  return {
    checkCustomerSessionStatus: (customerId, which) =>
      calls.run(() => rides.checkCustomerSessionStatus(customerId, which)),
    cleanupCustomerWaitingSessions: (customerId, maxAgeMinutes, which) =>
      calls.run(() => rides.cleanupCustomerWaitingSessions(customerId, maxAgeMinutes, which)),
    cleanupExpiredRequests: (maxAgeMinutes, which) =>
      calls.run(() => rides.cleanAll('cleanupExpiredRequests', maxAgeMinutes, which)),
    cleanupOrphanedSessions: (maxAgeMinutes, which) =>
      calls.run(() => rides.cleanAll('cleanupOrphanedSessions', maxAgeMinutes, which)),
    runFullCleanup: which => calls.run(() => rides.cleanAll('runFullCleanup', undefined, which)),
    healthReport: () => calls.run(() => engine.health()),
    close: () =>
      calls.close(async () => {
        await close();
        await engine.close();
      }),
  };
};
