// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of the project, as text
// S9, S10 and S11: undo, backups and the audit log.
const engine = 'test/engine/engine.test.ts';
const files = 'test/engine/state-files.test.ts';
const audit = 'test/engine/audit.test.ts';
const stateFiles = 'source/engine/disk/state-files.ts';

export const entries = [
  {
    requirement: 'S9',
    protection: 'undo touches only what is as the run left it, in its plan and in its write',
    edits: [
      {
        file: 'source/engine/run/undo.ts',
        find: "      : row.version === after.version\n        ? {}\n        : {skip: 'changed'};",
        replace: '      : {};',
      },
      {
        file: 'source/engine/run/undo.ts',
        find: '    version: after.version,\n    image: row?.image',
        replace: '    version: row?.version ?? after.version,\n    image: row?.image',
      },
    ],
    test: {file: engine, name: 'undo leaves rows alone that somebody changed since'},
  },
  {
    requirement: 'S9',
    protection: 'PostgreSQL: a row that comes back to where one is by now is skipped',
    edits: [
      {
        file: 'connectors/postgres/inserts.ts',
        find: ' on conflict do nothing returning',
        replace: ' returning',
      },
    ],
    test: {file: 'test/connectors/postgres.test.ts', name: 'does not insert over a row that is there'},
  },
  {
    requirement: 'S10',
    protection: 'the files of a run are made anew: none that is there is written to',
    edits: [{file: stateFiles, find: '(existing ? 0 : O_EXCL)', replace: '(existing ? 0 : 0 * O_EXCL)'}],
    test: {file: files, name: 'a file that is there is not written over'},
  },
  {
    requirement: 'S10',
    protection: 'no link is followed',
    edits: [
      {
        file: stateFiles,
        find: 'O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | (',
        replace: 'O_RDWR | O_CREAT | O_APPEND | (O_NOFOLLOW * 0) | (',
      },
    ],
    test: {file: files, name: 'a link is not followed'},
  },
  {
    requirement: 'S10',
    protection: 'runs is a directory, not a link to one',
    edits: [
      {
        file: 'source/engine/disk/run-files.ts',
        find: 'await requireNoLink(runsDirectory(stateDirectory));',
        replace: '',
      },
    ],
    test: {file: files, name: 'a directory of runs that lies elsewhere is refused'},
  },
  {
    requirement: 'S10',
    protection: 'a directory that others may write to is no place for backups',
    edits: [{file: stateFiles, find: 'await requireOwn(path);', replace: ''}],
    test: {file: files, name: 'a directory that others may write to is refused'},
  },
  {
    requirement: 'S10',
    protection: 'files are 0600',
    edits: [
      {
        file: stateFiles,
        find: '        0o600,\n      );\n      try {\n        await syncDirectory',
        replace: '        0o644,\n      );\n      try {\n        await syncDirectory',
      },
    ],
    test: {file: engine, name: 'what a run leaves on disk: for this user alone'},
  },
  {
    requirement: 'S10',
    protection: 'each record of a backup has a hash (and the audit log the hash of the file)',
    edits: [
      {
        file: 'source/engine/run/open-settled.ts',
        find: 'if (line && line.backup !== (await hashOfFile(path)))',
        replace: 'if (line && line.backup === (await hashOfFile(path))?.slice(1))',
      },
      {
        file: stateFiles,
        find: 'if (hash !== sha256(canonicalJson(rest as unknown as Json)))',
        replace: "if (hash === '' && rest)",
      },
    ],
    test: {file: engine, name: 'a backup in which a byte was changed is not undone from'},
  },
  {
    requirement: 'S10',
    protection:
      'a backup has a footer that counts and chains its records (and the audit log the hash of the file)',
    edits: [
      {
        file: 'source/engine/run/open-settled.ts',
        find: 'if (line && line.backup !== (await hashOfFile(path)))',
        replace: 'if (line && line.backup === (await hashOfFile(path))?.slice(1))',
      },
      {
        file: 'source/engine/disk/backup.ts',
        find: 'if (footer.records !== places.length || footer.chain !== chain) throw altered(path);',
        replace: '',
      },
    ],
    test: {file: engine, name: 'a backup in which a byte was changed is not undone from'},
  },
  {
    requirement: 'S10',
    protection: 'a backup is the one that was audited',
    edits: [
      {
        file: 'source/engine/run/open-settled.ts',
        find: 'if (line && line.backup !== (await hashOfFile(path)))',
        replace: 'if (line && line.backup === (await hashOfFile(path))?.slice(1))',
      },
    ],
    test: {file: engine, name: 'a backup that is whole, but is not the one that was audited'},
  },
  {
    requirement: 'S10',
    protection: 'a write that fails stops the run before the first change',
    edits: [
      {
        file: stateFiles,
        find: "      throw fsFault(error, this.path, 'written');\n    }\n  }\n\n  /** Has anybody else",
        replace: '    }\n  }\n\n  /** Has anybody else',
      },
    ],
    test: {file: files, name: 'when the files of a run are made its backup is whole'},
  },
  {
    requirement: 'S10',
    protection: 'a sync that fails is a write that failed',
    edits: [
      {
        file: stateFiles,
        find: 'await this.#handle.datasync();',
        replace: 'await this.#handle.datasync().catch(() => undefined);',
      },
    ],
    test: {file: files, name: 'a sync that fails is a write that failed'},
  },
  {
    requirement: 'S10',
    protection: "PostgreSQL's numbers are backed up with all their digits",
    edits: [
      {
        file: 'connectors/postgres/pins.ts',
        find: "  ['extra_float_digits', '1'],\n",
        replace: "  ['extra_float_digits', '0'],\n",
      },
    ],
    test: {file: 'test/connectors/postgres-types.test.ts', name: 'are put back as they were, by key'},
  },
  {
    requirement: 'S10',
    protection: "MongoDB's documents are backed up by their bytes, without promotion",
    edits: [
      {
        file: 'connectors/mongodb/document.ts',
        find: 'const typed = {promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true} as const;',
        replace: 'const typed = {promoteValues: true, promoteLongs: true, bsonRegExp: true} as const;',
      },
    ],
    test: {file: 'test/connectors/mongodb.test.ts', name: 'is put back byte for byte'},
  },
  {
    requirement: 'S10',
    protection: "DynamoDB's numbers are backed up as text",
    edits: [
      {
        file: 'connectors/dynamodb/attributes.ts',
        find: 'if (raw.N !== undefined) return {N: raw.N};',
        replace: 'if (raw.N !== undefined) return {N: String(Number(raw.N))};',
      },
    ],
    test: {
      file: 'test/connectors/dynamodb-read.test.ts',
      name: 'keeps numbers, binary and sets as they are',
    },
  },
  {
    requirement: 'S11',
    protection: 'each line of the audit log has a hash of itself',
    edits: [
      {
        file: 'source/engine/disk/audit.ts',
        find: 'if (line.hash !== hashOf(line)) problems.push(`${path}:${index + 1} was altered`);',
        replace: '',
      },
    ],
    test: {file: audit, name: 'line 1 edited'},
  },
  {
    requirement: 'S11',
    protection: 'each line of the audit log has the hash of the one before it',
    edits: [
      {
        file: 'source/engine/disk/audit.ts',
        find: 'if (line.previous !== previous)',
        replace: "if (line.previous === '')",
      },
    ],
    test: {file: audit, name: 'lines that changed places'},
  },
  {
    requirement: 'S11',
    protection: 'the head knows how long the audit log is',
    edits: [
      {
        file: 'source/engine/disk/audit.ts',
        find: 'return lost ? [...problems, lost] : problems;',
        replace: 'return problems;',
      },
    ],
    test: {file: audit, name: 'cut off at the end, and told for ever'},
  },
  {
    requirement: 'S11',
    protection: 'a log that was cut off goes on with a line that says so',
    edits: [
      {
        file: 'source/engine/disk/audit.ts',
        find: '...(lost ? [{event: ',
        replace: "...(lost === '' ? [{event: ",
      },
    ],
    test: {file: audit, name: 'cut off at the end, and told for ever'},
  },
  {
    requirement: 'S11',
    protection: 'a run of the log whose files are gone is missed',
    edits: [
      {
        file: 'source/engine/disk/verify.ts',
        find: 'for (const run of missing) problems.push(`run ${run} is in the audit log, and its files are gone`);',
        replace: '',
      },
    ],
    test: {file: 'test/faults/tampered.test.ts', name: 'run files that were removed are found'},
    servers: ['PostgreSQL'],
  },
];
