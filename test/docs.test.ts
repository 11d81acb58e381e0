/** What is generated from the registries is as they are. `npm run docs` writes it. */
import {readFileSync, writeFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {expect, test} from 'vitest';
import {checks} from '../source/checks/index.js';
import {schemaText} from '../source/config/json-schema.js';
import {configFromObject} from '../source/config/load.js';
import {demoConfig} from '../source/demo/config.js';
import {generatedBlocks, withBlocks} from '../source/docs.js';
import {keysBlock} from '../source/state/keys-block.js';

const path = (name: string): string => resolve(import.meta.dirname, '..', name);

const isCurrent = (name: string, wanted: (text: string) => string): void => {
  const text = readFileSync(path(name), 'utf8');
  if (process.env.SESSTUI_WRITE_DOCS) writeFileSync(path(name), wanted(text));
  else expect(text, `${name} is stale: npm run docs`).toBe(wanted(text));
};

test('the readme tells the checks, commands, keys and errors as they are', () => {
  isCurrent('readme.md', text => withBlocks(text, {...generatedBlocks(), keys: keysBlock()}));
});

test("the JSON Schema is the configuration's", () => {
  isCurrent('docs/sesstui.schema.json', schemaText);
});

test('guards.md tells each guard in its table and in a part of its own', () => {
  const {config} = configFromObject(
    demoConfig({dynamodb: 'http://x', mongodb: 'mongodb://x', postgres: 'postgres://x'}),
  );
  const configured = Object.values(config.stores).flatMap(store => store.checks);
  const names = configured.flatMap(own =>
    checks
      .find(({kind}) => kind === own.check)!
      .guards(own as never, {})
      .map(({name}) => name),
  );
  const text = readFileSync(path('docs/guards.md'), 'utf8');
  expect(new Set(names).size).toBeGreaterThanOrEqual(11);
  expect(names.filter(name => !new RegExp(`^\\|[^|]*\\| \`${name}\``, 'm').test(text))).toEqual([]);
  expect(names.filter(name => !new RegExp(`^### .*\`${name}\``, 'm').test(text))).toEqual([]);
});
