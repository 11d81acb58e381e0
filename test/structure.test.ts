/** The folder tree keeps its word: who may import whom, and that every check has its test. */
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {expect, test} from 'vitest';
import {checks} from '../source/checks/index.js';

const root = resolve(import.meta.dirname, '..');

const filesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), {recursive: true, encoding: 'utf8'})
    .filter(name => /\.tsx?$/.test(name))
    .map(name => join(folder, name));

/** Modules that a file imports when it is loaded (types are gone by then). */
const importsOf = (file: string): string[] =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export) (?!type\b)[^;]*?from '([^']+)'/gm),
  ].map(match =>
    match[1]!.startsWith('.') ? relative(root, resolve(root, dirname(file), match[1]!)) : match[1]!,
  );

const offenders = (folder: string, wrong: (module: string, file: string) => boolean): string[] =>
  filesIn(folder).flatMap(file =>
    importsOf(file)
      .filter(module => wrong(module, file))
      .map(module => `${file} → ${module}`),
  );

const drivers = ['pg', 'mongodb', '@aws-sdk/client-dynamodb', 'ink', 'react', 'ink-table'];

test('the engine and the command line load no driver, no Ink and no view', () => {
  const isScreen = (file: string) => file.startsWith('source/ui');
  const isDemo = (file: string) => file.startsWith('source/demo');
  expect(
    offenders(
      'source',
      (module, file) =>
        !isScreen(file) && !isDemo(file) && (drivers.includes(module) || module.startsWith('views')),
    ),
  ).toEqual([]);
});

test('only the commands join the engine and the connectors', () => {
  expect(
    offenders(
      'source',
      (module, file) =>
        module.startsWith('connectors') &&
        !file.startsWith('source/commands') &&
        file !== 'source/library.ts',
    ),
  ).toEqual([]);
});

test("connectors know the engine's types and errors, not the engine, and not each other", () => {
  expect(
    offenders('connectors', (module, file) => {
      const other = /^connectors\/(\w+)\//.exec(module)?.[1];
      const own = /^connectors\/(\w+)\//.exec(file)?.[1];
      return (
        /^source\/(engine|checks|commands|state|ui)/.test(module) ||
        (own !== undefined && other !== undefined && other !== own)
      );
    }),
  ).toEqual([]);
});

test('a guard of PostgreSQL knows what guards share, not another guard; only rules.ts knows them all', () => {
  const folder = 'connectors/postgres/guards/';
  const roomOf = (path: string): string | undefined =>
    path.startsWith(folder) ? /^([^/]+)\//.exec(path.slice(folder.length))?.[1] : undefined;
  expect(
    offenders('connectors/postgres', (module, file) => {
      const other = roomOf(module);
      if (other === undefined || other === 'sql' || other === roomOf(file)) return false;
      if (other === 'device-sessions') return !['undeletable', 'own-rows'].includes(roomOf(file) ?? '');
      return file !== `${folder}rules.ts`;
    }),
  ).toEqual([]);
});

test('views know state and words, not the engine or a connector', () => {
  expect(
    offenders(
      'views',
      module => /^source\/(engine|checks|commands|demo)/.test(module) || module.startsWith('connectors'),
    ),
  ).toEqual([]);
});

test("the demo's traffic and seeds import nothing of the engine", () => {
  expect(
    offenders(
      'source/demo',
      module =>
        module.startsWith('connectors') ||
        (module.startsWith('source/') && !module.startsWith('source/demo/')),
    ),
  ).toEqual([]);
});

test('every check is listed once and has a test of its own', () => {
  const kinds = checks.map(({kind}) => kind);
  expect(new Set(kinds).size).toBe(kinds.length);
  const tests = readdirSync(join(root, 'test/checks'));
  for (const kind of kinds) expect(tests).toContain(`${kind}.test.ts`);
});

test('every action that a reason offers is an action of its check, and every action is offered by one', () => {
  for (const {kind, reasons, actions} of checks) {
    const names = actions.map(({name}) => name);
    const offered = reasons.flatMap(reason => reason.actions);
    expect(
      offered.filter(name => !names.includes(name)),
      kind,
    ).toEqual([]);
    expect(
      names.filter(name => !offered.includes(name)),
      kind,
    ).toEqual([]);
  }
});
