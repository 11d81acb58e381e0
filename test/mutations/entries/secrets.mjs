// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of the project, as text
// S16 and S17: credentials and hostile texts.
const redact = 'test/redact.test.ts';
const canary = 'test/faults/canary.test.ts';

export const entries = [
  {
    requirement: 'S16',
    protection: 'the redactor knows passwords in URLs',
    edits: [
      {file: 'source/redact.ts', find: '  [userInfo, `$1:${masked}@`],\n', replace: ''},
      {file: 'source/redact.ts', find: '  [oddUserInfo, `$1:${masked}@`],\n', replace: ''},
    ],
    test: {file: redact, name: 'postgres://gym:hunter2@db.internal:5432/gym'},
  },
  {
    requirement: 'S16',
    protection: 'the redactor knows the credentials of the configuration, in every spelling',
    edits: [
      {
        file: 'source/redact.ts',
        find: 'let result = canary ? text.replace(canary, masked) : text;',
        replace: 'let result = canary ? text : text;',
      },
    ],
    test: {file: redact, name: 'canaries are masked as they are, percent-encoded and as JSON writes them'},
  },
  {
    requirement: 'S16',
    protection: 'every error of a store is redacted',
    edits: [
      {
        file: 'source/redacting.ts',
        find: 'new SesstuiError(error.code, redact(error.message), redact(error.hint))',
        replace: 'new SesstuiError(error.code, error.message, error.hint)',
      },
    ],
    test: {file: 'test/redacting.test.ts', name: 'a call that throws tells no more'},
  },
  {
    requirement: 'S16',
    protection: 'a failed change does not tell the values of secret columns',
    edits: [
      {
        file: 'source/redacting.ts',
        find: '{...outcome, error: hide(outcome.error)}',
        replace: '{...outcome, error: outcome.error}',
      },
    ],
    test: {file: 'test/redacting.test.ts', name: 'the values of secret columns, old and new'},
  },
  {
    requirement: 'S16',
    protection: 'values of secret columns are masked wherever they are shown',
    edits: [
      {
        file: 'source/secrets.ts',
        find: 'result[name] = secret && value !== null ? masked :',
        replace: "result[name] = secret && value === '' ? masked :",
      },
    ],
    test: {file: redact, name: 'secret values are masked at any depth'},
  },
  {
    requirement: 'S16',
    protection: 'plan.jsonl has secret keys as hashes',
    edits: [
      {
        file: 'source/engine/plan/plan-lines.ts',
        find: 'isSecretColumn(name, secrets) ? hashed(value) : value,',
        replace: 'value,',
      },
    ],
    test: {
      file: 'test/engine/secret-keys.test.ts',
      name: 'no finding, plan or plan file tells a secret key or group',
    },
  },
  {
    requirement: 'S16',
    protection: 'a crash tells one redacted message, not what hangs on the error',
    edits: [
      {file: 'source/crash.ts', find: "process.on('uncaughtException', crash);", replace: 'void crash;'},
    ],
    test: {file: canary, name: 'an exception that nobody caught'},
    servers: ['PostgreSQL', 'FerretDB', 'DynamoDB Local'],
  },
  {
    requirement: 'S16',
    protection: 'no diagnostic report, which holds the environment',
    edits: [{file: 'source/crash.ts', find: '  report.reportOnSignal = false;\n', replace: ''}],
    test: {file: 'test/crash.test.ts', name: 'no report on a signal or an error'},
  },
  {
    requirement: 'S16',
    protection: 'no memory in a core file',
    edits: [
      {
        file: 'source/crash.ts',
        find: "writeFileSync('/proc/self/coredump_filter', '0');",
        replace: 'void writeFileSync;',
      },
    ],
    test: {file: 'test/crash.test.ts', name: 'no report on a signal or an error'},
  },
  {
    requirement: 'S17',
    protection: 'what a terminal would act on becomes a visible escape',
    edits: [{file: 'source/sanitise.ts', find: '    .replace(unsafe, escapeCharacter)\n', replace: ''}],
    test: {file: 'test/sanitise.test.ts', name: 'no code point leaves anything that a terminal acts on'},
  },
  {
    requirement: 'S17',
    protection: 'bidi, zero-width and tags are among it',
    edits: [{file: 'source/sanitise.ts', find: '\\p{Format}', replace: ''}],
    test: {file: 'test/sanitise.test.ts', name: 'no code point leaves anything that a terminal acts on'},
  },
  {
    requirement: 'S17',
    protection: 'text is cut between graphemes, by its width',
    edits: [
      {
        file: 'source/sanitise.ts',
        find: 'used += clusterWidth(cluster);',
        replace: 'used += 1;',
      },
    ],
    test: {file: 'test/sanitise.test.ts', name: 'cut text is never wider than it may be'},
  },
  {
    requirement: 'S17',
    protection: 'every cell of the command line’s tables is sanitised',
    edits: [
      {
        file: 'source/output/table.ts',
        find: 'shorten(cellText(row[column.name]), most)',
        replace: 'cut(cellText(row[column.name]), most)',
      },
    ],
    test: {
      file: 'test/output/table.test.ts',
      name: 'nothing from a row reaches the terminal as a control',
    },
  },
  {
    requirement: 'S17',
    protection: 'every cell of the screen’s tables is sanitised',
    edits: [
      {
        file: 'views/table.tsx',
        find: 'pad(sanitise(clip(cell.text)), width, align)',
        replace: 'pad(clip(cell.text), width, align)',
      },
    ],
    test: {file: 'test/views/table.test.tsx', name: 'wide characters, escapes and text that is too long'},
  },
];
