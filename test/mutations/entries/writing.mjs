// S12 and S13: read-only, and what has to be typed before anything is written.
const engine = 'test/engine/engine.test.ts';
const confirm = 'test/state/confirm.test.ts';
const readOnly = 'test/faults/read-only.test.ts';
/** That file starts a server of each kind, whichever of its tests are run. */
const all = ['PostgreSQL', 'FerretDB', 'DynamoDB Local'];

export const entries = [
  {
    requirement: 'S12',
    protection: "PostgreSQL: a reader's session is read-only by itself",
    edits: [
      {
        file: 'connectors/postgres/pins.ts',
        find: "[['default_transaction_read_only', 'on']]",
        replace: '[]',
      },
    ],
    test: {file: readOnly, name: "a reader's session refuses a write"},
    servers: all,
  },
  {
    requirement: 'S12',
    protection: 'PostgreSQL: each transaction of a reader is read-only',
    edits: [
      {
        file: 'connectors/postgres/session.ts',
        find: "this.#settings.readOnly ? 'read only' : access",
        replace: 'access',
      },
    ],
    test: {file: readOnly, name: "a reader's session refuses a write"},
    servers: all,
  },
  {
    requirement: 'S12',
    protection: 'checks read through a connection that can not write',
    edits: [
      {
        file: 'source/engine/stores.ts',
        find: 'this.#reader ??= this.#open(true);',
        replace: 'this.#reader ??= this.#open(false);',
      },
      {
        file: 'connectors/postgres/session.ts',
        find: "await client.query(this.#begin('read only'));\n      const result",
        replace: "await client.query(this.#begin('read write'));\n      const result",
      },
      {
        file: 'connectors/postgres/session.ts',
        find: "await client.query(this.#begin('read only'));\n      if (setting)",
        replace: "await client.query(this.#begin('read write'));\n      if (setting)",
      },
    ],
    test: {file: readOnly, name: 'a function of the database that a check calls can not write'},
    servers: all,
  },
  {
    requirement: 'S12',
    protection: 'PostgreSQL: a store that is opened to read has no way to write',
    edits: [
      {
        file: 'connectors/postgres/index.ts',
        find: 'if (!this.#settings.readOnly) return;',
        replace: 'if (this.#settings.store) return;',
      },
    ],
    test: {file: readOnly, name: 'rides, opened to read, has no way to write'},
    servers: all,
  },
  {
    requirement: 'S12',
    protection: 'MongoDB: a store that is opened to read has no way to write',
    edits: [
      {
        file: 'connectors/mongodb/index.ts',
        find: 'if (!settings.readOnly) return;',
        replace: 'if (settings.store) return;',
      },
    ],
    test: {
      file: 'test/connectors/mongodb-apply.test.ts',
      name: 'a read-only store refuses before it connects',
    },
  },
  {
    requirement: 'S12',
    protection: 'DynamoDB: a store that is opened to read has no way to write',
    edits: [
      {
        file: 'connectors/dynamodb/index.ts',
        find: 'if (!settings.readOnly) return;',
        replace: 'if (settings.store) return;',
      },
    ],
    test: {file: readOnly, name: 'kite, opened to read, has no way to write'},
    servers: all,
  },
  {
    requirement: 'S12',
    protection: '--read-only wins over everything',
    edits: [
      {
        file: 'source/engine/writing.ts',
        find: "if (this.#options.readOnly) return 'flag';",
        replace: '',
      },
    ],
    test: {file: engine, name: 'readOnly: true and --read-only are lifted by nothing'},
  },
  {
    requirement: 'S12',
    protection: 'readOnly: true wins over confirmations',
    edits: [
      {
        file: 'source/engine/writing.ts',
        find: "if (this.#config.readOnly === true) return 'configuration';",
        replace: '',
      },
    ],
    test: {file: engine, name: 'readOnly: true and --read-only are lifted by nothing'},
  },
  {
    requirement: 'S13',
    protection: 'the engine runs nothing without its confirmations',
    edits: [
      {
        file: 'source/engine/run/runs.ts',
        find: 'requireConfirmations(plan.confirmations, options.confirmed ?? []);',
        replace: '',
      },
    ],
    test: {file: engine, name: 'production is read-only until the environment is named'},
  },
  {
    requirement: 'S13',
    protection: 'a plan of many rows needs their count',
    edits: [
      {
        file: 'source/engine/confirmations.ts',
        find: 'const tooMany = count > config.limits.changes;',
        replace: 'const tooMany = count < 0;',
      },
      {
        file: 'source/engine/confirmations.ts',
        find: 'const tooLarge = estimatedRows !== null && count > estimatedRows * config.limits.share;',
        replace: 'const tooLarge = count < 0;',
      },
    ],
    test: {file: engine, name: 'production is read-only until the environment is named'},
  },
  {
    requirement: 'S13',
    protection: 'a plan of a large share of its table needs their count',
    edits: [
      {
        file: 'source/engine/confirmations.ts',
        find: 'const tooLarge = estimatedRows !== null && count > estimatedRows * config.limits.share;',
        replace: 'const tooLarge = count < 0;',
      },
    ],
    test: {file: 'test/faults/production.test.ts', name: 'over limits.share, the name'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S13',
    protection: 'a drastic action needs its table and count',
    edits: [
      {
        file: 'source/engine/confirmations.ts',
        find: '  if (drastic) {',
        replace: '  if (drastic && count < 0) {',
      },
    ],
    test: {file: 'test/faults/production.test.ts', name: 'a drastic action in a safe place'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S13',
    protection: 'the screen: Cancel has the focus',
    edits: [
      {
        file: 'source/state/update-run.ts',
        find: "fields, focus: 'cancel', armed: false}",
        replace: "fields, focus: 'run', armed: false}",
      },
    ],
    test: {file: confirm, name: 'Cancel has the focus: Enter alone changes nothing'},
  },
  {
    requirement: 'S13',
    protection: 'the screen: input is dropped until the dialog was seen',
    edits: [
      {
        file: 'source/state/update-press.ts',
        find: 'const isUnarmed = ({mode}: State): boolean => isAsking(mode) && !mode.armed;',
        replace: 'const isUnarmed = ({mode}: State): boolean => isAsking(mode) && mode.fields.length < 0;',
      },
    ],
    test: {file: confirm, name: 'all input is dropped until the dialog has been on the screen'},
  },
  {
    requirement: 'S13',
    protection: 'the screen: input that is dropped makes the dialog wait anew',
    edits: [{file: 'source/ui/arming.ts', find: 'if (isPainted) wait();', replace: ''}],
    test: {file: 'test/ui/arming.test.ts', name: 'input that was dropped makes it wait anew'},
  },
  {
    requirement: 'S13',
    protection: 'the screen: a pasted name is not a typed one',
    edits: [
      {
        file: 'source/state/asking.ts',
        find: "typeof focus === 'number' && fields[focus]?.kind === 'note';",
        replace: "typeof focus === 'number' || fields.length > 0;",
      },
    ],
    test: {file: confirm, name: 'pasting is not typing'},
  },
  {
    requirement: 'S13',
    protection: 'the screen: Enter that comes with other keys presses nothing',
    edits: [
      {
        file: 'source/state/update-press.ts',
        find: "isAsking(state.mode) && key === 'enter' && together",
        replace: "isAsking(state.mode) && key === '' && together",
      },
    ],
    test: {file: confirm, name: 'Enter that comes with other keys presses nothing'},
  },
  {
    requirement: 'S13',
    protection: 'the screen: the name has to be exact',
    edits: [
      {
        file: 'source/state/asking.ts',
        find: 'field.text === field.expected',
        replace: 'field.text.trim().toLowerCase() === field.expected',
      },
    ],
    test: {file: confirm, name: 'production typed as “Production” runs nothing'},
  },
];
