/** The MongoDB connector: forms to filters and pipelines, changes to conditional single writes. */
import type {Capabilities, Connector, Row} from '../../source/connector.js';
import {SesstuiError} from '../../source/errors.js';
import {applyUnits} from './apply.js';
import {type MongoSettings, openConnection} from './client.js';
import {serverNow} from './clock.js';
import {collectionNames, describeCollection, fetchRows} from './collections.js';
import {bytesOfImage, valuesOfBytes} from './document.js';
import {mapError} from './errors.js';
import {guardKeeper} from './guards/index.js';
import {putDocument} from './put.js';
import {readForm, surveyForm} from './read.js';
import type {FullRow} from './row.js';
import {scansFor} from './scans.js';
import {openStrain, questionLimitMs} from './strain.js';
import {tallyForm} from './tally.js';

const requireWritable = (settings: MongoSettings): void => {
  if (!settings.readOnly) return;
  throw new SesstuiError(
    'read-only',
    `The store ${settings.store} is opened read-only.`,
    'Nothing was changed.',
  );
};

const toldRow = ({bytes: _, ...row}: FullRow): Row => row;

/**
 * A connector for one database of a MongoDB server. It connects when it is first asked something, and again when
 * the connection was lost. `capabilities.transactions` is false until the server has been asked (`server()`).
 */
export const openMongodb = (settings: MongoSettings): Connector => {
  const connection = openConnection(settings);
  const strain = openStrain();
  const capabilities: Capabilities = {
    get transactions() {
      return connection.known()?.transactions ?? false;
    },
    unitsPerApply: 100,
    changesPerTransaction: 1000,
    groupsOnServer: false,
  };

  return {
    store: settings.store,
    kind: 'mongodb',
    capabilities,
    guards: guardKeeper(settings, connection),
    server: signal =>
      connection.use(
        'connecting',
        async ({info: {id, version, standIn}}) => ({id, version, standIn}),
        signal,
      ),
    now: signal => connection.use('asking for the time', serverNow, signal),
    tables: signal => connection.use('listing collections', collectionNames, signal),
    describe: (table, signal) =>
      connection.use(`describing ${table}`, access => describeCollection(access, table), signal),
    survey: (form, options) =>
      connection.use(`looking at ${form.from}`, access => surveyForm(access, form, options), options.signal),
    async *read(form, options) {
      const what = `reading ${form.from}`;
      const access = await connection.use(what, async given => given, options.signal);
      try {
        yield* readForm(access, form, options);
      } catch (error) {
        throw mapError(error, what, options.signal);
      }
    },
    tally: (form, options) =>
      connection.use(`counting ${form.from}`, access => tallyForm(access, form, options), options.signal),
    scans: (form, options) =>
      connection.use(
        `asking how ${form.from} would be read`,
        access => scansFor(access, form, options),
        options.signal,
      ),
    fetch: (table, identities, signal) =>
      connection.use(
        `reading ${table}`,
        async access => (await fetchRows(access, table, identities)).map(row => row && toldRow(row)),
        signal,
      ),
    async apply(units, options) {
      requireWritable(settings);
      return connection.use('changing documents', access => applyUnits(access, units, options));
    },
    async put(request, {signal}) {
      requireWritable(settings);
      return connection.use('putting a document', access => putDocument(access, request), signal);
    },
    strain: signal => {
      const limit = AbortSignal.timeout(2 * questionLimitMs);
      const either = signal ? AbortSignal.any([signal, limit]) : limit;
      return connection.use('asking how busy it is', strain, either).catch(() => null);
    },
    valuesOf: (_table, image) => valuesOfBytes(bytesOfImage(image)),
    close: () => connection.close(),
  };
};
