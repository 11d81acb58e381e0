// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of the project, as text
// S7 and S8: how long anything may take, and whose clock decides.
const limits = 'test/connectors/postgres-limits.test.ts';
const clock = 'test/faults/clock.test.ts';
const client = 'the server in Asia/Tokyo: the same plan for every client';

const pin = line => ({file: 'connectors/postgres/pins.ts', find: `  ${line}\n`, replace: ''});

export const entries = [
  {
    requirement: 'S7',
    protection: 'PostgreSQL: a statement has a time limit, on every connection',
    edits: [pin("['statement_timeout', String(timeoutMs)],")],
    test: {file: limits, name: 'a statement, a lock and an idle transaction have a limit'},
  },
  {
    requirement: 'S7',
    protection: 'PostgreSQL: waiting for a lock has a time limit',
    edits: [
      pin("['lock_timeout', String(Math.min(timeoutMs, access === 'read only' ? 5_000 : lockLimitMs))],"),
    ],
    test: {file: limits, name: 'a statement, a lock and an idle transaction have a limit'},
  },
  {
    requirement: 'S7',
    protection: 'PostgreSQL: a transaction that is idle has a time limit',
    edits: [pin("['idle_in_transaction_session_timeout', String(idleLimitMs)],")],
    test: {file: limits, name: 'a statement, a lock and an idle transaction have a limit'},
  },
  {
    requirement: 'S7',
    protection: 'MongoDB: every read and write has a time limit',
    edits: [
      {
        file: 'connectors/mongodb/change.ts',
        find: 'const optionsOf = ({limit, session}: Access) => ({...limit, ...(session ? {session} : {})});',
        replace: 'const optionsOf = ({session}: Access) => ({...(session ? {session} : {})});',
      },
    ],
    test: {
      file: 'test/connectors/mongodb-apply.test.ts',
      name: 'a write has a time limit and is acknowledged by a majority',
    },
  },
  {
    requirement: 'S8',
    protection: "PostgreSQL: ages count from the database's clock",
    edits: [
      {
        file: 'connectors/postgres/server.ts',
        find: 'return Number(row![0]);',
        replace: 'return Number(row![0]) * 0 + Date.now() * 1000;',
      },
    ],
    test: {file: clock, name: client},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S8',
    protection: "PostgreSQL: the session's time zone is pinned to UTC, so that a version is one everywhere",
    edits: [pin("['TimeZone', 'UTC'],")],
    test: {
      file: 'test/connectors/postgres-tables.test.ts',
      name: 'are the same rows to a session of another time zone',
    },
  },
  {
    requirement: 'S8',
    protection: "PostgreSQL: naive timestamps are read in the check's zone",
    edits: [
      {
        file: 'connectors/postgres/instants.ts',
        find: '(${moment} at time zone ${zone})',
        replace: "(${moment} at time zone 'UTC')",
      },
    ],
    test: {file: clock, name: client},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S8',
    protection: 'PostgreSQL: what lies before year 1 (-infinity, BC) is no age (where an index serves)',
    edits: [
      {
        file: 'connectors/postgres/instants.ts',
        find: '[`>= ${firstAware}`, "< \'infinity\'"]',
        replace: "['is not null', \"< 'infinity'\"]",
      },
    ],
    test: {file: clock, name: client},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S8',
    protection: 'a row without a finite moment in the past is told, not cleaned',
    edits: [
      {
        file: 'source/checks/stale-sessions.ts',
        find: "    name: 'unknown-age',\n    severity: 'info',\n    text: 'A waiting session or pending request whose age is not known; never cleaned.',\n    actions: [],",
        replace:
          "    name: 'unknown-age',\n    severity: 'info',\n    text: 'A waiting session or pending request whose age is not known; never cleaned.',\n    actions: ['cancel'],",
      },
    ],
    test: {
      file: 'test/checks/stale-sessions.test.ts',
      name: 'a row without an age, or with one that is infinite or in the future',
    },
  },
  {
    requirement: 'S8',
    protection: "MongoDB: ages count from the server's clock",
    edits: [
      {
        file: 'connectors/mongodb/clock.ts',
        find: 'if (localTime instanceof Date) return localTime.getTime() * 1000;',
        replace: 'if (localTime instanceof Date) return Date.now() * 1000;',
      },
    ],
    test: {file: 'test/faults/clock-documents.test.ts', name: 'FerretDB the same plan for every client'},
    servers: ['FerretDB'],
  },
  {
    requirement: 'S8',
    protection: "DynamoDB: ages count from the service's clock",
    edits: [
      {
        file: 'connectors/dynamodb/store.ts',
        find: 'return seen.micros;',
        replace: 'return Date.now() * 1000;',
      },
    ],
    test: {
      file: 'test/faults/clock-documents.test.ts',
      name: 'DynamoDB Local the same plan for every client',
    },
    servers: ['DynamoDB Local'],
  },
];
