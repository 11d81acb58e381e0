// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of the project, as text
// S1 and S2: groups keep a row, and only what the plan saw is written.
const engine = 'test/engine/engine.test.ts';
const faults = 'test/connectors/postgres-faults.test.ts';
const dynamodb = 'test/connectors/dynamodb-apply.test.ts';
const mongodb = 'test/connectors/mongodb-apply.test.ts';

export const entries = [
  {
    requirement: 'S1',
    protection: 'PostgreSQL: a group is locked before its keeper is decided',
    edits: [{file: 'connectors/postgres/groups-lock.ts', find: ' for update of t', replace: ''}],
    test: {file: faults, name: 'of two operators with opposite rules on one group, the second decides'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S1',
    protection: 'PostgreSQL: the keeper is decided again under the lock',
    edits: [
      {
        file: 'connectors/postgres/unit.ts',
        find: "if (group.keep.by === 'none') return found;",
        replace: 'if (group.table) return found;',
      },
    ],
    test: {file: engine, name: 'a group keeps a row even when the planned keeper is gone'},
  },
  {
    requirement: 'S1',
    protection: 'DynamoDB: each transaction checks the row that stays',
    edits: [
      {
        file: 'connectors/dynamodb/apply.ts',
        find: '[...checksFor(unit, keepers, batch, rows), ...partnerChecks(partners, batch)]',
        replace: 'partnerChecks(partners, batch)',
      },
    ],
    test: {file: dynamodb, name: 'two operators with opposite rules, at once, leave a row in every group'},
    servers: ['DynamoDB Local'],
  },
  {
    requirement: 'S1',
    protection: 'DynamoDB: the keeper is decided again on a consistent read',
    edits: [
      {
        file: 'connectors/dynamodb/decide.ts',
        find: 'const decided = protectKeeper(unit, outcomes, rows, decideKeeper);',
        replace: 'const decided: Keepers = [];',
      },
    ],
    test: {file: dynamodb, name: 'decides the keeper again, among all rows of the group'},
  },
  {
    requirement: 'S1',
    protection: 'MongoDB with transactions: the keeper is written, so that two operators conflict',
    edits: [
      {
        file: 'connectors/mongodb/transaction.ts',
        find: 'await lockKeeper(access, decision);',
        replace: '',
      },
    ],
    test: {file: mongodb, name: 'two operators with opposite rules conflict on the keeper'},
  },
  {
    requirement: 'S1',
    protection: 'MongoDB without transactions: whoever removes the last row puts it back',
    edits: [
      {
        file: 'connectors/mongodb/stepwise.ts',
        find: 'await refill(access, unit, sight, done, outcomes).catch(() => {});',
        replace: '',
      },
    ],
    test: {file: mongodb, name: 'whoever removes the last row of a group puts it back'},
  },
  {
    requirement: 'S1',
    protection: 'MongoDB: the keeper, decided again, does not leave its group (and is put back if it did)',
    edits: [
      {
        file: 'connectors/mongodb/decide.ts',
        find: "drop(bound, sight.group.length === 1 ? 'last-of-group' : 'keeper');",
        replace: '',
      },
      {
        file: 'connectors/mongodb/stepwise.ts',
        find: 'await refill(access, unit, sight, done, outcomes).catch(() => {});',
        replace: '',
      },
    ],
    test: {file: mongodb, name: 'the last row of a group stays'},
  },
  {
    requirement: 'S2',
    protection: 'PostgreSQL: a write carries the version that the plan saw',
    edits: [
      {
        file: 'connectors/postgres/batches.ts',
        find: "const same = `${versionOf('t')} = u.version`;",
        replace: "const same = 'true';",
      },
    ],
    test: {file: engine, name: 'a row that changed between the plan and the run is skipped'},
  },
  {
    requirement: 'S2',
    protection: "PostgreSQL: a write carries its check's condition",
    edits: [
      {
        file: 'connectors/postgres/batches.ts',
        find: "still ? compiled(still, table, workspace, binder) : 'true'",
        replace: "'true'",
      },
    ],
    test: {file: engine, name: 'a session that got its request after the plan was made is not cancelled'},
  },
  {
    requirement: 'S2',
    protection: 'DynamoDB: the item that was just read is the one that the plan saw',
    edits: [
      {
        file: 'connectors/dynamodb/decide.ts',
        find: "if (versionOf(item) !== change.version) return skipped('changed');",
        replace: '',
      },
    ],
    test: {file: dynamodb, name: 'skips what is changed, gone, there already, or not so any more'},
  },
  {
    requirement: 'S2',
    protection: 'DynamoDB: a write is conditional on every attribute that was just read',
    edits: [
      {
        file: 'connectors/dynamodb/unchanged.ts',
        find: '    ...compared.map(name => `${bound.name(name)} = ${bound.value(item[name]!)}`),\n',
        replace: '',
      },
    ],
    test: {
      file: 'test/connectors/dynamodb-compile.test.ts',
      name: 'an update names what it changes, within maps too, and is conditional on all that was seen',
    },
  },
  {
    requirement: 'S2',
    protection: 'DynamoDB: a write carries its check’s condition',
    edits: [
      {
        file: 'connectors/dynamodb/decide.ts',
        find: "return change.still && !holds(change.still, neutralItem(item), env) ? skipped('no-longer') : undefined;",
        replace: 'return undefined;',
      },
    ],
    test: {file: dynamodb, name: 'judges a partner as it is when the change is made'},
  },
  {
    requirement: 'S2',
    protection: 'MongoDB: the document that was just read is the one that the plan saw',
    edits: [
      {
        file: 'connectors/mongodb/decide.ts',
        find: "if (row.version !== change.version) return skipped('changed');",
        replace: '',
      },
    ],
    test: {file: 'test/connectors/mongodb.test.ts', name: 'skips a row that is not what the plan saw'},
  },
  {
    requirement: 'S2',
    protection: 'MongoDB: a write’s filter is the exact state that was just read',
    edits: [
      {
        file: 'connectors/mongodb/state.ts',
        find: 'return conditions.length === 0 ? id : {...id, $and: conditions};',
        replace: 'return id;',
      },
    ],
    test: {
      file: 'test/connectors/mongodb-compile.test.ts',
      name: 'a document is matched by type and value of each field',
    },
  },
];
