// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of the project, as text
// S18, S19 and S20: names and values, sizes, Unicode.
const compile = 'test/connectors/mongodb-compile.test.ts';

export const entries = [
  {
    requirement: 'S18',
    protection: 'PostgreSQL: names are quoted',
    edits: [
      {
        file: 'connectors/postgres/sql.ts',
        find: '`"${name.replaceAll(\'"\', \'""\')}"`',
        replace: '`"${name}"`',
      },
    ],
    test: {file: 'test/connectors/postgres-tables.test.ts', name: 'may have any name'},
  },
  {
    requirement: 'S18',
    protection: 'PostgreSQL: values are quoted where they can not be bound',
    edits: [
      {
        file: 'connectors/postgres/sql.ts',
        find: 'return pg.escapeLiteral(Array.isArray(value)',
        replace: "return ((text: string) => `'${text}'`)(Array.isArray(value)",
      },
    ],
    test: {
      file: 'test/connectors/postgres-tables.test.ts',
      name: 'are streamed by values with quotes in them',
    },
  },
  {
    requirement: 'S18',
    protection: 'MongoDB: an attribute that starts with $ is refused',
    edits: [
      {
        file: 'connectors/mongodb/filters.ts',
        find: "if (name.split('.').some(step => step.startsWith('$'))) refuseAttribute(name, 'it starts with $');",
        replace: '',
      },
    ],
    test: {file: compile, name: 'the attribute "$where" is refused'},
  },
  {
    requirement: 'S18',
    protection: 'MongoDB: a key that starts with $ is not written',
    edits: [
      {
        file: 'connectors/mongodb/values.ts',
        find: "if (name.startsWith('$')) throw",
        replace: "if (name === '') throw",
      },
    ],
    test: {file: compile, name: 'undefined and keys that start with $ are not written'},
  },
  {
    requirement: 'S18',
    protection: 'MongoDB: an _id that could be read as an operator is refused',
    edits: [
      {
        file: 'connectors/mongodb/identity.ts',
        find: '  refuseKeys(id);\n  return id;',
        replace: '  return id;',
      },
    ],
    test: {
      file: 'test/connectors/mongodb.test.ts',
      name: 'is found again by an _id of any type, and is not an operator',
    },
  },
  {
    requirement: 'S18',
    protection: 'the configuration is strict',
    edits: [
      {
        file: 'source/config/schema.ts',
        find: 'export const staleSessionsSchema = z.strictObject({',
        replace: 'export const staleSessionsSchema = z.object({',
      },
    ],
    test: {
      file: 'test/cli/bad-input.test.ts',
      name: 'an unknown key is told with its line and the nearest one',
    },
  },
  {
    requirement: 'S19',
    protection: 'a large plan goes to a file, not to memory',
    edits: [
      {
        file: 'source/engine/plan/units.ts',
        find: 'if (this.#size > inMemory) await this.#spill();',
        replace: '',
      },
    ],
    test: {file: 'test/engine/units.test.ts', name: 'a large plan lies in a file that has no name'},
  },
  {
    requirement: 'S19',
    protection: 'PostgreSQL: large rows are fetched a few at a time',
    edits: [
      {
        file: 'connectors/postgres/fetch-sizes.ts',
        find: 'Math.max(1, Math.min(Math.floor(wanted / each), rows.length * 2, most[kind]))',
        replace: 'Math.max(most[kind], each * 0)',
      },
    ],
    test: {
      file: 'test/connectors/postgres-fetch-sizes.test.ts',
      name: 'large rows come a few at a time',
    },
  },
  {
    requirement: 'S20',
    protection: 'keys are compared by their code points, never normalised',
    edits: [
      {
        file: 'source/values.ts',
        find: "if (typeof value === 'string') return JSON.stringify(value);",
        replace: "if (typeof value === 'string') return JSON.stringify(value.normalize());",
      },
    ],
    test: {
      file: 'test/faults/names.test.ts',
      name: 'each name is a group of its own, to the last code point',
    },
    servers: ['PostgreSQL', 'FerretDB', 'DynamoDB Local'],
  },
  {
    requirement: 'S20',
    protection: 'PostgreSQL: a column of any collation is compared by its bytes',
    edits: [
      {
        file: 'connectors/postgres/expressions.ts',
        find: 'type.loose ? `${text} collate "C"` : text',
        replace: 'type.loose ? text : text',
      },
    ],
    test: {
      file: 'test/connectors/postgres-compile.test.ts',
      name: 'compares text by its bytes, whatever the collation of its column',
    },
  },
];
