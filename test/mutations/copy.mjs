// A copy of the project in which protections are taken out: the checkout itself is never changed.
import {execFileSync} from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** Every file that git tracks or would track, as it is in the checkout now. */
const files = () =>
  execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\0')
    .filter(file => file !== '' && file !== 'node_modules');

/**
 * Makes the copy; packages and the servers for tests are those of the checkout.
 *
 * @returns {string} its directory, which is removed when the process ends
 */
export const makeCopy = () => {
  const copy = mkdtempSync(join(tmpdir(), 'sesstui-mutations-'));
  process.on('exit', () => rmSync(copy, {recursive: true, force: true}));
  for (const file of files()) {
    mkdirSync(dirname(join(copy, file)), {recursive: true});
    copyFileSync(join(root, file), join(copy, file));
  }
  mkdirSync(join(root, '.servers'), {recursive: true});
  for (const shared of ['node_modules', '.servers']) symlinkSync(join(root, shared), join(copy, shared));
  return copy;
};

/** A file's text with an edit made; throws when the string is not there exactly once. */
const edited = (text, {file, find, replace}) => {
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has ${count} times: ${find}`);
  return text.replace(find, () => replace);
};

/**
 * Makes an entry's edits in the copy.
 *
 * @returns {() => void} puts the files back
 */
export const mutate = (copy, edits) => {
  const before = new Map();
  const putBack = () => {
    for (const [path, text] of before) writeFileSync(path, text);
  };
  try {
    for (const edit of edits) {
      const path = join(copy, edit.file);
      const text = readFileSync(path, 'utf8');
      if (!before.has(path)) before.set(path, text);
      writeFileSync(path, edited(text, edit));
    }
  } catch (error) {
    putBack();
    throw error;
  }
  return putBack;
};
