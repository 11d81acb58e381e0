/** Where a customer may be found: the tables of each check, and those that the configuration's `identities` name. */
import type {Identities, IdentityColumn, Shapes} from '../../checks/check.js';
import type {Config} from '../../config/schema.js';
import type {Connector} from '../../connector.js';
import {attributesOf, type Pred, type Rows} from '../../forms.js';
import type {Checker, Opened, ScanLimit} from '../checker.js';
import type {Store} from '../stores.js';

/** `opened` is null where the table belongs to no check. */
export type Asked = {
  connector: Connector;
  now: number;
  opened: Opened | null;
  shapes: Shapes;
  tables: Identities[];
};

export type Source = {
  /** The check's id, or `store/table`. */
  id: string;
  store: Store;
  checker: Checker | null;
  secrets: string[];
  /** A table of more rows than this is not read without an index; null for no limit. */
  scanLimit: ScanLimit;
  ask<T>(question: (asked: Asked) => Promise<T>, signal: AbortSignal): Promise<T>;
};

type Mapping = Config['identities'][number];

const emailColumn = ({email}: Mapping): IdentityColumn => ({of: {norm: email}, names: 'customer'});

/** A form that shows what it is searched by. */
const showing = (identities: Identities): Identities => {
  const columns = identities.where.flatMap(({of}) => attributesOf(of));
  const form = (match: Pred): Rows => {
    const own = identities.form(match);
    return {...own, show: [...new Set([...own.show, ...columns])]};
  };
  return {...identities, form};
};

/** A check's tables, with the email column that the configuration names in one of them. */
const tablesOf = (checker: Checker, opened: Opened, mappings: Mapping[]): Identities[] =>
  checker.check.identities(checker.config, opened.shapes).map(item => {
    const named = mappings.filter(({table}) => table === item.table).map(emailColumn);
    const names = named.flatMap(({of}) => attributesOf(of));
    const others = item.where.filter(({of, guessed}) => !guessed || !names.includes(attributesOf(of)[0]!));
    return showing({...item, where: [...others, ...named]});
  });

const ofChecker = (checker: Checker, mappings: Mapping[], scanLimit: ScanLimit): Source => ({
  id: checker.id,
  store: checker.store,
  checker,
  secrets: checker.config.secrets,
  scanLimit,
  ask: (question, signal) =>
    checker.ask(
      opened =>
        question({
          connector: opened.connector,
          now: opened.now,
          opened,
          shapes: opened.shapes,
          tables: tablesOf(checker, opened, mappings),
        }),
      {insist: true, signal},
    ),
});

const ofMapping = (store: Store, mapping: Mapping, scanLimit: ScanLimit): Source => {
  const {table, id} = mapping;
  const tables = [
    showing({
      table,
      sessions: false,
      where: [{of: {attr: id}, names: 'customer'}, emailColumn(mapping)],
      form: match => ({form: 'rows', from: table, where: match, show: [], tags: {}}),
    }),
  ];
  return {
    id: `${store.name}/${table}`,
    store,
    checker: null,
    secrets: [],
    scanLimit,
    ask: (question, signal) =>
      store.ask(
        async connector => {
          const shape = await store.shape(connector, table, [mapping.id, mapping.email], signal);
          const now = await connector.now(signal);
          return question({connector, now, opened: null, shapes: {[table]: shape}, tables});
        },
        {insist: true, signal},
      ),
  };
};

/** Tables that a check looks at anyway are searched with it. */
const tablesOfConfig = (checker: Checker): string[] =>
  checker.check.needs(checker.config).map(({table}) => table);

export const sourcesOf = (
  config: Config,
  stores: Map<string, Store>,
  checkers: Checker[],
  scanLimit: ScanLimit,
): Source[] => {
  const ofStore = (name: string): Checker[] => checkers.filter(({store}) => store.name === name);
  return [
    ...checkers.map(checker =>
      ofChecker(
        checker,
        config.identities.filter(({store}) => store === checker.store.name),
        scanLimit,
      ),
    ),
    ...config.identities
      .filter(({store, table}) => !ofStore(store).some(checker => tablesOfConfig(checker).includes(table)))
      .map(mapping => ofMapping(stores.get(mapping.store)!, mapping, scanLimit)),
  ];
};
