/** The screen on the fake engine as a program, for tests in a real terminal. */
import {execFile} from 'node:child_process';
import {mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';

const root = resolve(import.meta.dirname, '../..');

export type FakeProgram = {path: string; remove(): Promise<void>};

/** The program is TypeScript: it is compiled for the child process, together with what it imports. */
export const buildFake = async (): Promise<FakeProgram> => {
  const built = await mkdtemp(join(tmpdir(), 'sesstui-ui-'));
  const compilerOptions = {
    rootDir: root,
    outDir: built,
    incremental: false,
    declaration: false,
    noCheck: true,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const include = [join(root, 'views'), join(root, 'test/ui/run-fake.ts')];
  const project = join(built, 'tsconfig.json');
  await writeFile(project, JSON.stringify({extends: join(root, 'tsconfig.json'), compilerOptions, include}));
  await writeFile(join(built, 'package.json'), '{"type":"module"}');
  await symlink(join(root, 'node_modules'), join(built, 'node_modules'));
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project]);
  return {path: join(built, 'test/ui/run-fake.js'), remove: () => rm(built, {recursive: true, force: true})};
};
