// S14 and S15: hidden rows, and rows that would go along.
const hidden = 'test/faults/hidden.test.ts';

export const entries = [
  {
    requirement: 'S14',
    protection: 'PostgreSQL: a session for which hidden rows are an error',
    edits: [
      {
        file: 'connectors/postgres/pins.ts',
        find: "  ['row_security', 'off'],\n",
        replace: "  ['row_security', 'on'],\n",
      },
    ],
    test: {
      file: 'test/connectors/postgres-faults.test.ts',
      name: 'hidden rows, missing rights and missing databases have codes of their own',
    },
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S14',
    protection: 'a check of a table with hidden rows is an error, before and while it is read',
    edits: [
      {
        file: 'connectors/postgres/pins.ts',
        find: "  ['row_security', 'off'],\n",
        replace: "  ['row_security', 'on'],\n",
      },
      {file: 'source/engine/checker.ts', find: 'if (shape.hidden) {', replace: "if (shape.hidden === '') {"},
    ],
    test: {file: hidden, name: 'row-level security with a policy'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S15',
    protection: 'a plan that would delete what others refer to is refused',
    edits: [
      {
        file: 'source/engine/plan/planner.ts',
        find: 'if (cascades.length > 0) {',
        replace: 'if (cascades.length < 0) {',
      },
    ],
    test: {
      file: 'test/engine/engine.test.ts',
      name: 'deleting rows that others refer to with CASCADE is refused',
    },
  },
  {
    requirement: 'S15',
    protection: 'PostgreSQL: the statement that deletes looks again at what refers to its rows',
    edits: [{file: 'connectors/postgres/besides.ts', find: 'refuse(table, doing, first![0]);', replace: ''}],
    test: {file: hidden, name: 'made after the plan: the run fails'},
    servers: ['PostgreSQL'],
  },
  {
    requirement: 'S15',
    protection: 'PostgreSQL: what a trigger deletes besides is counted',
    edits: [
      {
        file: 'connectors/postgres/besides.ts',
        find: 'if (!table.deleteTrigger) return remove();',
        replace: 'if (table.oid) return remove();',
      },
    ],
    test: {file: hidden, name: 'a trigger that deletes more of'},
    servers: ['PostgreSQL'],
  },
];
