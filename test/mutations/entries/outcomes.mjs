// S5 and S6: outcomes are found out by reading, and only what may be tried again is.
const faults = 'test/connectors/postgres-faults.test.ts';
const dynamodb = 'test/connectors/dynamodb-apply.test.ts';
const retries = 'test/faults/retries.test.ts';
const unanswered = 'finds out what a write without an answer did, and writes nothing twice';

export const entries = [
  {
    requirement: 'S5',
    protection: 'PostgreSQL: a COMMIT without an answer is asked after by its number',
    edits: [
      {
        file: 'connectors/postgres/apply.ts',
        find: "const status = ending.transaction === null ? 'committed' : await settled(ending.transaction, job.session);",
        replace: "const status: string | null = 'aborted';",
      },
    ],
    test: {file: faults, name: 'a COMMIT whose reply is lost is found to have been made'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S5',
    protection: 'a resume asks after the transaction that was prepared',
    edits: [
      {
        file: 'source/engine/run/settle.ts',
        find: "const status = last ? await statusOf(last.token) : 'aborted';",
        replace: "const status = last && unit < 0 ? await statusOf(last.token) : 'aborted';",
      },
    ],
    test: {
      file: 'test/engine/resume.test.ts',
      name: 'what was committed but not written down is found out',
    },
  },
  {
    requirement: 'S5',
    protection: 'a transaction that is being committed is waited for, not guessed at',
    edits: [
      {
        file: 'source/engine/run/settle.ts',
        find: "if (status === 'in-progress') throw beingCommitted(last!.token);",
        replace: '',
      },
    ],
    test: {
      file: 'test/faults/committing.test.ts',
      name: 'resume and undo wait until the server has ended it',
    },
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S5',
    protection: 'DynamoDB: a write without an answer is settled by reading',
    edits: [
      {
        file: 'connectors/dynamodb/write.ts',
        find: '} else if (isAmbiguous(error)) return settle(store, [operation], mapError(error, what));',
        replace: '}',
      },
    ],
    test: {file: dynamodb, name: unanswered},
  },
  {
    requirement: 'S5',
    protection:
      'DynamoDB: a transaction is sent again under the same token (and, when refused then, settled by reading)',
    edits: [
      {file: 'connectors/dynamodb/write.ts', find: ', ClientRequestToken: token}', replace: '}'},
      {
        file: 'connectors/dynamodb/write.ts',
        find: "return unanswered > 0 ? settle(store, operations, mapError(error, 'a transaction')) : answer;",
        replace: 'return answer;',
      },
    ],
    test: {file: dynamodb, name: unanswered},
  },
  {
    requirement: 'S5',
    protection: 'MongoDB: a write without an answer is settled by reading',
    edits: [
      {
        file: 'connectors/mongodb/stepwise.ts',
        find: 'return settle(access, change.table, write, error);',
        replace: "return {result: 'failed', error: String(error)};",
      },
    ],
    test: {
      file: 'test/connectors/mongodb-apply.test.ts',
      name: 'a write whose answer is lost is applied, as reading shows',
    },
  },
  {
    requirement: 'S6',
    protection: 'PostgreSQL: what is refused for good is not tried again',
    edits: [
      {
        file: 'connectors/postgres/errors.ts',
        find: "error instanceof pg.DatabaseError && ['55P03', '40P01', '40001'].includes(error.code ?? '')",
        replace: 'error instanceof pg.DatabaseError',
      },
    ],
    test: {file: retries, name: 'the 7th of 10 fails for good'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S6',
    protection: 'PostgreSQL: serialization failures are tried again',
    edits: [
      {
        file: 'connectors/postgres/errors.ts',
        find: "['55P03', '40P01', '40001'].includes",
        replace: "['55P03', '40P01'].includes",
      },
    ],
    test: {file: retries, name: 'a serialization failure that passes is tried again'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S6',
    protection: 'PostgreSQL: deadlocks are tried again',
    edits: [
      {
        file: 'connectors/postgres/errors.ts',
        find: "['55P03', '40P01', '40001'].includes",
        replace: "['55P03', '40001'].includes",
      },
    ],
    test: {file: retries, name: 'a deadlock that passes is tried again'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S6',
    protection: 'PostgreSQL: a few attempts, not more',
    edits: [
      {file: 'connectors/postgres/apply.ts', find: 'const attempts = 4;', replace: 'const attempts = 7;'},
    ],
    test: {file: retries, name: 'a lock that was not granted that passes is tried again'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S6',
    protection: 'DynamoDB: a write that is throttled is tried again',
    edits: [
      {
        file: 'connectors/dynamodb/write.ts',
        find: '      if (isThrottling(error) || isConflict(error)) {',
        replace: '      if (isConflict(error)) {',
      },
    ],
    test: {file: 'test/faults/throttling.test.ts', name: 'DeleteItem that is throttled (whole)'},
    servers: ['DynamoDB Local'],
  },
  {
    requirement: 'S6',
    protection: 'DynamoDB: the driver repeats no write by itself',
    edits: [{file: 'connectors/dynamodb/client.ts', find: 'maxAttempts: 1,', replace: 'maxAttempts: 3,'}],
    test: {file: dynamodb, name: unanswered},
  },
  {
    requirement: 'S6',
    protection: 'DynamoDB: it waits a random time before it tries again',
    edits: [
      {
        file: 'connectors/dynamodb/pause.ts',
        find: 'pauseCap(attempt) * (0.5 + Math.random() / 2)',
        replace: 'pauseCap(attempt)',
      },
    ],
    test: {file: 'test/faults/throttling.test.ts', name: 'one change of ten that stays throttled fails'},
    servers: ['DynamoDB Local'],
  },
];
