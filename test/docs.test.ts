/** What is generated from the registries is as they are. `npm run docs` writes it. */
import {readFileSync, writeFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {expect, test} from 'vitest';
import {schemaText} from '../source/config/json-schema.js';
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
