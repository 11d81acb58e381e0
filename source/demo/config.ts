/** The configuration of the demo's stores, as an object and as a file that says what is real about them. */
import {Document, isMap, type Scalar} from 'yaml';

export const chatDatabase = 'support';
export const chatCollection = 'conversations';
/** Not a secret: it stands in the demo's configuration. */
export const gymSalt = 'demo-salt';

export type DemoAddresses = {dynamodb: string; mongodb: string; postgres: string};

/** What about the demo's stores is not the real server, a sentence each. */
export const demoStandIns: string[] = [
  'kite is not AWS DynamoDB: it is dynalite, embedded, with transactions added by sesstui.',
  "chat is not MongoDB: it is sesstui's own stand-in, which speaks MongoDB's wire protocol and answers with mingo.",
  'gym, registry and rides are PostgreSQL compiled to WebAssembly (PGlite), embedded: one database for the three, and one backend, so that statements wait for one another.',
  'All of them live in memory, hold made-up people only, and are gone when the demo ends.',
];

/** What a `sesstui.yaml` for these stores holds (contract: Configuration), written out with the usual defaults left away. */
export const demoConfig = ({dynamodb, mongodb, postgres}: DemoAddresses) => ({
  environment: 'demo',
  refresh: '5s',
  identities: [
    {store: 'kite', table: 'kite-accounts', id: 'accountId', email: 'email'},
    {store: 'rides', table: 'customers', id: 'id', email: 'email'},
    {store: 'chat', table: chatCollection, id: 'sessionId', email: 'lastMessage.from'},
  ],
  stores: {
    kite: {
      kind: 'dynamodb',
      region: 'eu-west-1',
      endpoint: dynamodb,
      checks: [
        {
          check: 'duplicates',
          table: 'kite-sessions',
          groupBy: ['accountId'],
          latestBy: ['updatedAt', 'createdAt'],
          canonicalId: 'sess_{accountId}',
          referencedBy: {table: 'kite-accounts', key: 'accountId', attribute: 'session'},
        },
      ],
    },
    chat: {
      kind: 'mongodb',
      url: mongodb,
      database: chatDatabase,
      checks: [
        {check: 'null-ids', table: chatCollection, id: 'sessionId', idFormat: 'uuid', touch: 'updatedAt'},
      ],
    },
    gym: {
      kind: 'postgres',
      url: postgres,
      checks: [
        {
          check: 'device-sessions',
          table: 'auth_sessions',
          fingerprint: {salt: gymSalt, prefix: 'bg-', length: 64},
        },
      ],
    },
    registry: {
      kind: 'postgres',
      url: postgres,
      checks: [
        {
          check: 'duplicates',
          table: 'app_session_keys',
          groupBy: ['device_key', 'stream_id', 'session_ids'],
          unordered: ['session_ids'],
          payload: ['message_envelope'],
          keep: 'first',
        },
      ],
    },
    rides: {
      kind: 'postgres',
      url: postgres,
      checks: [
        {
          check: 'stale-sessions',
          sessions: {table: 'sessions'},
          requests: {table: 'session_requests'},
          waitingAfter: '15m',
          requestAfter: '15m',
          orphanedAfter: '20m',
          veryStaleAfter: '30m',
        },
      ],
    },
  },
});

export type DemoConfig = ReturnType<typeof demoConfig>;

const storeComments: Record<keyof DemoConfig['stores'], string> = {
  kite: ' Stand-in: dynalite instead of AWS. Clients need credentials, any will do:\n AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo',
  chat: " Stand-in: sesstui's own server instead of MongoDB.",
  gym: ' Embedded: PostgreSQL as WebAssembly (PGlite); gym, registry and rides share one database.',
  registry: ' Embedded: the same database.',
  rides: ' Embedded: the same database.',
};

/** The configuration as a commented file. */
export const demoYaml = (config: DemoConfig): string => {
  const document = new Document(config);
  document.commentBefore = [
    ' The stores of `sesstui demo`, for as long as it runs.',
    ...demoStandIns.map(sentence => ` - ${sentence}`),
  ].join('\n');
  const stores = document.get('stores');
  if (isMap(stores))
    for (const {key} of stores.items) {
      const name = key as Scalar<keyof DemoConfig['stores']>;
      name.commentBefore = storeComments[name.value];
    }
  return document.toString({lineWidth: 110});
};
