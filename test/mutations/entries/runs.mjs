// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of the project, as text
// S3 and S4: each change once, and the order in which a run is written down.
const engine = 'test/engine/engine.test.ts';
const resume = 'test/engine/resume.test.ts';
const files = 'test/engine/state-files.test.ts';
const inDoubt = 'what was committed but not written down is found out';

export const entries = [
  {
    requirement: 'S3',
    protection: 'a row that somebody else has removed counts as skipped, not as applied',
    edits: [
      {
        file: 'connectors/postgres/batches.ts',
        find: "for (const {index} of missed) if (!results.has(index)) results.set(index, skipped('gone'));",
        replace: 'for (const {index} of missed) if (!results.has(index)) results.set(index, applied(null));',
      },
    ],
    test: {file: engine, name: 'the same plan twice changes everything once'},
  },
  {
    requirement: 'S3',
    protection: 'an undo looks again, with the run held, at what others took back',
    edits: [
      {
        file: 'source/engine/run/runs.ts',
        find: 'if (isSame) return held;',
        replace: 'if (isSame || !isSame) return held;',
      },
    ],
    test: {file: engine, name: 'an undo whose plan was made before another undo was carried out is refused'},
  },
  {
    requirement: 'S3',
    protection: 'one process at a time carries a run out or takes it back',
    edits: [
      {
        file: 'source/engine/run/run-lock.ts',
        find: "if (life === 'alive') throw heldBy(run, owner);",
        replace: '',
      },
    ],
    test: {file: engine, name: 'two undos of one run at once take it back once'},
  },
  {
    requirement: 'S3',
    protection: 'a resume looks again at the journal once it holds the run',
    edits: [
      {
        file: 'source/engine/run/open-run.ts',
        find: 'if (journal.length !== seen.journal.length)',
        replace: 'if (journal.length < 0)',
      },
    ],
    test: {file: resume, name: 'what another resume has done meanwhile is not done again'},
  },
  {
    requirement: 'S3',
    protection: 'nobody plans on a run that a living process holds',
    edits: [
      {
        file: 'source/engine/run/run-lock.ts',
        find: "if (lifeOf(owner) === 'alive' && (await lastSign(directory)) !== null) throw heldBy(run, owner);",
        replace: '',
      },
    ],
    test: {file: resume, name: 'a run that a living process holds is left to it'},
  },
  {
    requirement: 'S3',
    protection: 'a process that lost its run to another one writes nothing more',
    edits: [
      {
        file: 'source/engine/run/run-lock.ts',
        find: 'if (lost.signal.aborted || !(await isOurs())) throw lostRun(run);',
        replace: '',
      },
    ],
    test: {file: resume, name: 'a process that lost its run writes nothing more'},
  },
  {
    requirement: 'S4',
    protection: 'the intent is on disk before the write',
    edits: [
      {
        file: 'source/engine/run/run-recorder.ts',
        find: 'await this.#run.files.journal(intents(chunk));',
        replace: '',
      },
    ],
    test: {file: resume, name: inDoubt},
  },
  {
    requirement: 'S4',
    protection: 'the number of the transaction is on disk before COMMIT',
    edits: [
      {
        file: 'connectors/postgres/apply.ts',
        find: 'if (transaction !== null) await job.options.prepared?.({token: {transaction}, from: 0, outcomes});',
        replace: '',
      },
    ],
    test: {file: resume, name: inDoubt},
  },
  {
    requirement: 'S4',
    protection: 'the backup is on disk before the first write',
    edits: [
      {
        file: 'source/engine/disk/run-files.ts',
        find: "const backup = await writeBackup(join(directory, 'backup.jsonl'), units);",
        replace:
          "const backup = '';\n      writeBackup(join(directory, 'backup.jsonl'), units).catch(() => undefined);",
      },
    ],
    test: {file: files, name: 'when the files of a run are made its backup is whole'},
  },
  {
    requirement: 'S4',
    protection: 'outcomes are on disk after each chunk',
    edits: [
      {file: 'source/engine/run/run-recorder.ts', find: 'await this.#run.files.journal(lines);', replace: ''},
    ],
    test: {
      file: engine,
      name: 'an interrupted run finishes its chunk, journals it and is told as interrupted',
    },
  },
  {
    requirement: 'S4',
    protection: 'what is appended is synced before it counts as written',
    edits: [{file: 'source/engine/disk/state-files.ts', find: 'await this.#handle.datasync();', replace: ''}],
    test: {file: files, name: 'what was appended is synced'},
  },
  {
    requirement: 'S4',
    protection:
      'a resume without a whole backup is refused where changes were made (by its own, and by the audit log)',
    edits: [
      {
        file: 'source/engine/run/open-settled.ts',
        find: 'if (line && line.backup !== (await hashOfFile(path)))',
        replace: 'if (line && line.backup === (await hashOfFile(path))?.slice(1))',
      },
      {
        file: 'source/engine/run/open-settled.ts',
        find: '    requireUnchanged(stateDirectory, record);',
        replace: '',
      },
    ],
    test: {file: resume, name: 'a backup that was cut off after changes is refused by resume and by undo'},
  },
  {
    requirement: 'S4',
    protection: 'a run is audited before it is told as done',
    edits: [
      {
        file: 'source/engine/run/run-recorder.ts',
        find: '    await this.#audit(event);\n    this.#isAudited = true;\n    await this.#run.files.journal([{event, at: at()}]);',
        replace:
          '    await this.#run.files.journal([{event, at: at()}]);\n    await this.#audit(event);\n    this.#isAudited = true;',
      },
    ],
    test: {file: engine, name: 'a run whose end could not be audited is not told as done'},
  },
];
