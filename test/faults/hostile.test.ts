/**
 * Ten thousand hostile strings in real stores, through the command line and through the screen: the terminal does
 * nothing but show text, columns line up, JSON and CSV are whole, and nothing of what the strings say is done (S17,
 * S18, S19).
 */
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {cli, cliJson, cliPath} from '../support/cli.js';
import {dynamodbServers} from '../support/dynamodb.js';
import {hostileStrings} from '../support/hostile.js';
import {startMongod} from '../support/mongod.js';
import {startServer} from '../support/postgres.js';
import {openPty} from '../support/pty.js';
import {cellsOf, leftover, openWatched, stateOf, watch} from '../support/watched.js';
import {type HostileStores, huge, oddTable, openHostileStores} from './hostile-stores.js';
import {record} from './record.js';

const servers = 'PostgreSQL 15, MongoDB 6, DynamoDB Local';
const inPostgres = hostileStrings(9000, 17, {nul: false});
const elsewhere = hostileStrings(1000, 18, {nul: true});

// Minutes where other tests run beside it; what is waited for has limits of its own.
vi.setConfig({testTimeout: 300_000});

let stores: HostileStores;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const [postgres, mongodb, dynamodb] = await Promise.all([
    startServer(),
    startMongod(),
    dynamodbServers()
      .find(({name}) => name === 'DynamoDB Local')!
      .start(),
  ]);
  closers.push(
    () => postgres.stop(),
    () => mongodb.stop(),
    () => dynamodb.stop(),
  );
  stores = await openHostileStores(
    {postgres: postgres.url, mongodb: mongodb.url, dynamodb: dynamodb.endpoint},
    inPostgres,
    elsewhere,
  );
  closers.unshift(() => stores.close());
});
afterAll(async () => {
  for (const close of closers) await close();
});

const environment = {AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local'};
const common = (args: string[] = []): string[] => [
  ...(args.some(word => word.startsWith('--config')) ? [] : ['--config', stores.config]),
  '--state-dir',
  join(stores.directory, 'state'),
  ...args,
];

/** What the program may write to a terminal: colours, columns, and a progress line that is erased again. */
const commandLine = /\x1b\[\d*(?:;\d+)*m|\x1b\[\d+G|\r\x1b\[K/g;
/** And the screen: its modes, erasing, and the marks of an update. */
const screen =
  /\x1b\[\d*(?:;\d+)*m|\x1b\[\d+G|\x1b\[\d+;1H\x1b\[K|\x1b\[2J|\x1b\[\?(?:1049|25|7|2004|2026)[hl]/g;

/** A headless command in a terminal of 160 columns: what it wrote, and the emulator that took it. */
const inTerminal = async (args: string[]) => {
  const emulator = openWatched(160, 50, 60_000);
  const before = emulator.state();
  const pty = openPty(process.execPath, [cliPath, ...common(args)], {
    columns: 160,
    rows: 50,
    env: environment,
  });
  const code = await pty.ended;
  const written = pty.written();
  await emulator.write(written);
  const problems = [
    ...emulator.acts,
    ...leftover(written, commandLine).map(hex => `wrote U+${hex}`),
    ...(emulator.state() === before ? [] : [`state ${emulator.state()}`]),
    ...(emulator.terminal.buffer.active.cursorX === 0
      ? []
      : ['the cursor is not at the beginning of a line']),
  ];
  return {code, written, problems, emulator};
};

/** Lines of tables in which a cell does not begin where its heading does. */
const crookedLines = (cells: string[][], headings: string[], isRow: (line: string) => boolean): string[] => {
  const crooked: string[] = [];
  let starts: number[] = [];
  for (const line of cells) {
    const text = line.map(cell => cell || '\u2007').join('');
    if (headings.every(heading => text.includes(heading))) {
      starts = headings.map(heading => text.indexOf(heading)).filter(start => start > 1);
      continue;
    }
    if (!isRow(text)) continue;
    // The last of the headings stands over words of ours; a value may begin with a space.
    const blank = (column: number): boolean => (line[column] ?? ' ').trim() === '';
    const bad = starts.some(start => !blank(start - 1) || !blank(start - 2)) || blank(starts.at(-1) ?? 0);
    if (starts.length === 0 || bad) crooked.push(text.trimEnd());
  }
  return crooked;
};

describe('through the command line', () => {
  test('tables: the terminal only shows them, and columns line up', async () => {
    const {code, problems, emulator, written} = await inTerminal(['check', '--limit', '20000']);
    expect(code).toBe(1);
    expect(problems).toEqual([]);
    const crooked = crookedLines(emulator.cells(), ['GROUP', 'WOULD', 'WHY'], line =>
      /^(?:critical|warning|info) /.test(line),
    );
    expect(crooked).toEqual([]);
    const rows = written.match(/^(?:\x1b\[[\d;]*m)*(?:critical|warning|info) /gm)!.length;
    expect(rows).toBeGreaterThanOrEqual(9000);
    // No value of a megabyte is printed whole.
    expect(written.length).toBeLessThan(20_000 * 400);
    record({
      requirement: 'S17',
      fault: 'hostile strings: check',
      server: servers,
      rounds: rows,
      violations: 0,
    });
  });

  test('JSON is whole, and no format holds a character that a terminal acts on', async () => {
    const bare =
      /[\0-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e0fff}]/u;
    type Checks = {
      checks: {
        check: string;
        error?: object;
        findings: {group: string | null; rows: {key: Record<string, string>}[]}[];
      }[];
    };
    const {stdout, stderr} = await cli([...common(), 'check', '--limit', '20000', '--json'], {
      env: environment,
    });
    expect(stderr).toBe('');
    expect(stdout).not.toMatch(bare);
    const {checks} = JSON.parse(stdout) as Checks;
    expect(checks.filter(({error}) => error)).toEqual([]);
    const of = (id: string) => checks.find(({check}) => check === id)!.findings;
    const short = (groups: (string | null)[]): string[] =>
      groups.filter(text => text !== null && text.length < 900).sort() as string[];
    expect(short(of('pg/duplicates').map(({group}) => group))).toEqual([...stores.groups].sort());
    expect(short(of('dynamo/duplicates').map(({group}) => group))).toEqual([...stores.items].sort());
    expect(
      of('mongo/null-ids')
        .map(({rows}) => rows[0]!.key._id)
        .sort(),
    ).toEqual([...stores.documents].sort());
    for (const output of ['csv', 'ndjson']) {
      const told = await cli([...common(), 'check', '--limit', '20000', '--output', output], {
        env: environment,
      });
      expect(told.stdout).not.toMatch(bare);
      const lines = told.stdout.trimEnd().split('\n');
      if (output === 'ndjson') for (const line of lines) JSON.parse(line);
      // A cell never begins with what a spreadsheet calculates.
      else for (const line of lines) expect(line).not.toMatch(/(?:^|,)"?[=+@\uff1d]/);
    }
    record({
      requirement: 'S17',
      fault: 'hostile strings: json, csv, ndjson',
      server: servers,
      rounds: 30_000,
      violations: 0,
    });
  });

  test('plans, with their values', async () => {
    for (const args of [
      ['clean', 'large/duplicates', '--action', 'keep-first', '--config', stores.large],
      ['clean', 'pg/duplicates', '--action', 'keep-first'],
      ['clean', 'pg/device-sessions', '--action', 'delete-expired'],
      ['clean', 'pg/stale-sessions', '--action', 'cancel'],
      ['clean', 'mongo/null-ids', '--action', 'assign-ids'],
      ['health'],
    ]) {
      const {problems, written, emulator} = await inTerminal(args);
      expect([args.join(' '), problems]).toEqual([args.join(' '), []]);
      expect(written.length).toBeLessThan(60_000);
      if (args[0] === 'clean')
        expect(
          crookedLines(emulator.cells(), ['CHANGE', 'TABLE', 'KEY', 'BEFORE'], line =>
            /^planned /.test(line),
          ),
        ).toEqual([]);
    }
    record({
      requirement: 'S19',
      fault: 'values of a megabyte in tables',
      server: servers,
      rounds: 6,
      violations: 0,
    });
  });

  test('customers, notes, names that are not there, error messages', async () => {
    const some = inPostgres.filter((text, index) => index % 1201 === 0 && !text.startsWith('-'));
    for (const text of some) {
      const {problems} = await inTerminal(['customer', '--', text]);
      expect([text, problems]).toEqual([text, []]);
    }
    for (const args of [
      ...some
        .slice(0, 4)
        .flatMap(text => [
          ['check', `pg/${text}`],
          ['clean', 'pg/duplicates', `--action=${text}`],
          ['clean', 'pg/duplicates', '--action=keep-first', `--reason=${text}`],
          ['check', `--config=/nowhere/${text}`],
          [`--${text}`],
          [text],
          ['undo', '--', text],
        ]),
    ]) {
      const {problems, code} = await inTerminal(args);
      expect([args, problems]).toEqual([args, []]);
      expect([args, code]).toEqual([args, 2]);
    }
    const notes = ['\x1b]0;title\x07\x1b[2J', 'one\r\ntwo\u202e', '=1+1', '日本\u0301'];
    for (const [index, note] of notes.entries()) {
      const {code, stderr} = await cli(
        [
          ...common(),
          'clean',
          'pg/duplicates',
          '--action=keep-first',
          `--id=2 ${index} ${stores.groups[index]}`,
          '--yes',
          `--note=${note}`,
        ],
        {env: environment},
      );
      expect([code, stderr]).toEqual([0, '']);
    }
    const {problems, emulator} = await inTerminal(['history']);
    expect(problems).toEqual([]);
    expect(crookedLines(emulator.cells(), ['AT', 'BY', 'CHECK'], line => /^\d{8}T/.test(line))).toEqual([]);
    const {json} = await cliJson<{runs: {note: string}[]}>([...common(), 'history'], {env: environment});
    expect(json.runs.map(({note}) => note).sort()).toEqual([...notes].sort());
    record({
      requirement: 'S17',
      fault: 'hostile words on the command line',
      server: servers,
      rounds: some.length + 19,
      violations: 0,
    });
  });

  test('nothing that a name or value says is done', async () => {
    const {rows} = await stores.pg.query("select to_regclass('witness') is not null as there");
    expect(rows).toEqual([{there: true}]);
    const count = await stores.pg.query(`select count(*)::int from "${oddTable.replaceAll('"', '""')}"`);
    expect(count.rows[0].count).toBe(2 * stores.groups.length - 4);
    record({
      requirement: 'S18',
      fault: 'SQL in table, column, group and id names',
      server: 'PostgreSQL 15',
      rounds: 4,
      violations: 0,
    });
  });
});

describe('through the screen', () => {
  test('every string is shown, nothing else happens, and borders stand under each other', async () => {
    const [columns, rows] = [140, 150];
    const pty = openPty(process.execPath, [cliPath, ...common(), '--no-color'], {
      columns,
      rows,
      env: environment,
    });
    const acts = watch(pty.terminal);
    const crooked: string[] = [];
    let lines = 0;
    const look = (): void => {
      const cells = cellsOf(pty.terminal, pty.terminal.buffer.active.baseY);
      const heading = cells.findIndex(line => line[0] === '│');
      const borders = cells[heading]!.flatMap((cell, column) => (cell === '│' ? [column] : []));
      for (const line of cells.slice(heading + 1)) {
        if (line[0] !== '│') continue;
        lines++;
        if (borders.some(column => line[column] !== '│')) crooked.push(line.join(''));
      }
    };
    await pty.until(/5 stores? up|3 stores? up/);
    const modes = stateOf(pty.terminal);
    // A whole list in each view; a page each time, and on every page the details of what is under the cursor.
    for (const [key, id] of [
      ['2', 'pg/duplicates'],
      ['4', 'pg/stale-sessions'],
      ['5', 'pg/device-sessions'],
      ['3', 'mongo/null-ids'],
    ] as const) {
      pty.write(key);
      await pty.until(new RegExp(`${id}[\\s\\S]*row [\\d,]+ of [\\d,]+`));
      pty.write('g');
      await pty.until(/row 1 of [\d,]+/);
      const total = Number(/row 1 of ([\d,]+)/.exec(pty.screen())![1]!.replaceAll(',', ''));
      for (let row = 1; row < total; ) {
        look();
        pty.write('\x1b[6~');
        const before = row;
        await pty.until({
          test: (text: string) => {
            const now = Number(/row ([\d,]+) of/.exec(text)?.[1]?.replaceAll(',', '') ?? 0);
            row = Math.max(row, now);
            return now > before && !text.includes('│ …');
          },
        } as RegExp);
      }
      look();
      pty.write('\r');
      await pty.until('can be done');
      look();
      pty.write('\x1b');
      await pty.until(/row [\d,]+ of [\d,]+/);
    }
    expect(acts).toEqual([]);
    expect(stateOf(pty.terminal)).toBe(modes);
    pty.write('q');
    expect(await pty.ended).toBe(0);
    expect(leftover(pty.written(), screen)).toEqual([]);
    expect(crooked).toEqual([]);
    expect(lines).toBeGreaterThan(8000);
    record({
      requirement: 'S17',
      fault: 'hostile strings: the screen',
      server: servers,
      rounds: lines,
      violations: 0,
    });
  });

  test('a value of a megabyte: details come at once, and are cut', async () => {
    const pty = openPty(process.execPath, [cliPath, ...common(['--config', stores.large]), '--no-color'], {
      columns: 120,
      rows: 40,
      env: environment,
    });
    await pty.until('1 store up');
    pty.write('2');
    await pty.until('row 1 of 2');
    pty.write('\r');
    await pty.until('can be done');
    pty.write('\x1b');
    await pty.until('row 1 of 2');
    pty.write('q');
    await pty.ended;
    expect(pty.written()).not.toContain(huge.slice(-40));
    expect(pty.written().length).toBeLessThan(100_000);
    record({
      requirement: 'S19',
      fault: 'values of a megabyte on the screen',
      server: 'PostgreSQL 15',
      rounds: 1,
      violations: 0,
    });
  });
});
