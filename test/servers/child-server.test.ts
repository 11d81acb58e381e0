import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdtemp} from 'node:fs/promises';
import {type AddressInfo, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {expect, test, vi} from 'vitest';
import {newFolder, startChild} from './child-server.mjs';

const module = pathToFileURL(join(import.meta.dirname, 'child-server.mjs')).href;
const listen = `require('node:http').createServer((_, answer) => answer.end('yes'))
  .on('error', error => { console.error(String(error)); process.exit(1) }).listen(Number(process.argv[1]), '127.0.0.1')`;
const answers = (port: number) => async (): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}`)).status === 200;
const specOf = (folder: string) => async (port: number) => ({
  command: process.execPath,
  args: ['-e', listen, String(port)],
  folder,
  answers: answers(port),
});
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a server that was stopped has left nothing', async () => {
  const folder = await newFolder('child');
  const {pid, port, stop} = await startChild(specOf(folder));
  expect(await answers(port)()).toBe(true);
  await stop();
  expect(isAlive(pid)).toBe(false);
  expect(existsSync(folder)).toBe(false);
});

test('a server whose test run was killed has left nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sesstui-child-'));
  const script = `const {startChild} = await import(${JSON.stringify(module)});
    const spec = async port => ({command: process.execPath, args: ['-e', ${JSON.stringify(listen)}, String(port)],
      folder: ${JSON.stringify(folder)}, answers: async () => (await fetch('http://127.0.0.1:' + port)).status === 200});
    const {pid} = await startChild(spec);
    console.log(pid);
    setInterval(() => {}, 1000);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await new Promise<string>(resolve =>
    starter.stdout.once('data', chunk => resolve(`${chunk}`)),
  );
  const pid = Number(said);
  expect(isAlive(pid)).toBe(true);
  starter.kill('SIGKILL');
  await vi.waitFor(() => {
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  }, 20_000);
});

test('a server that ends at once is an error that says why, and a taken port only means another one', async () => {
  const failing = async (folder: string) => ({
    command: process.execPath,
    args: ['-e', "console.error('no licence'); process.exit(3)"],
    folder,
    answers: async () => false,
  });
  const folder = await newFolder('child');
  await expect(startChild(() => failing(folder))).rejects.toThrow(/code 3: no licence/);
  expect(existsSync(folder)).toBe(false);
  await expect(
    startChild(async () => ({...(await failing(await newFolder('child'))), command: '/nowhere/at-all'})),
  ).rejects.toThrow(/ENOENT/);

  const other = createServer(socket => socket.destroy());
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
  const taken = (other.address() as AddressInfo).port;
  const ports: number[] = [];
  const second = await startChild(async port => {
    ports.push(port);
    return specOf(await newFolder('child'))(ports.length === 1 ? taken : port);
  });
  expect(ports).toHaveLength(2);
  expect(second.port).toBe(ports[1]);
  await second.stop();
  await new Promise(resolve => other.close(resolve));
});
