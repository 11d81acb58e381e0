/** A server as a child process: on a port of its own, and gone when the test run is gone, however that ended. */
import {spawn} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';

/**
 * @typedef {object} Spec
 * @property {string} command
 * @property {string[]} args
 * @property {NodeJS.ProcessEnv} [env] besides the environment of the tests
 * @property {number} [uid]
 * @property {number} [gid]
 * @property {'SIGKILL' | 'SIGQUIT'} [signal] what ends it; a server with processes of its own wants to be asked
 * @property {string} folder it runs in, and that is removed when it has ended
 * @property {() => Promise<boolean>} answers whether it does
 */

/**
 * A port that nothing listens on just now.
 *
 * @returns {Promise<number>}
 */
export const freePort = async () => {
  const server = createServer();
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
};

/**
 * A new folder for a server's data.
 *
 * @param {string} name
 */
export const newFolder = name => mkdtemp(join(tmpdir(), `sesstui-${name}-`));

/**
 * Ends the server and removes its folder when the pipe closes without a word: SIGKILL leaves a process no time to
 * do that itself. In a session of its own, so that Ctrl-C does not end it first.
 */
const guard = ({pid}, {signal = 'SIGKILL', folder}) => {
  const script = `read -r released || {
    kill -s "$1" "$2"; n=0
    while kill -0 "$2" && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.1; done
    kill -s KILL "$2"; rm -rf "$3"
  }`;
  const args = ['-c', script, 'sh', signal.slice(3), String(pid), folder];
  const child = spawn('sh', args, {stdio: ['pipe', 'ignore', 'ignore'], detached: true});
  child.unref();
  child.stdin.unref();
  return {release: () => void child.stdin.end('released\n')};
};

const startOnce = async spec => {
  const {command, args, env, uid, gid, signal = 'SIGKILL', folder, answers} = spec;
  let said = '';
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder,
    env: {...process.env, ...env},
    ...(uid !== undefined && {uid, gid}),
  });
  let ended = false;
  const end = new Promise((resolve, reject) => {
    child.once('exit', () => resolve());
    child.once('error', reject);
  }).finally(() => {
    ended = true;
  });
  end.catch(() => undefined);
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', text => {
      said = (said + text).slice(-2000);
    });
  const guarded = child.pid === undefined ? null : guard(child, spec);
  const stop = async () => {
    child.kill(signal);
    await end.catch(() => undefined);
    guarded?.release();
    await rm(folder, {recursive: true, force: true});
  };
  const deadline = Date.now() + 60_000;
  for (;;) {
    const is = await answers().catch(() => false);
    // Whoever answered may have been another server on the same port.
    if (ended) {
      await stop();
      throw await end.then(
        () => new Error(`${command} ended with code ${child.exitCode}: ${said}`),
        error => error,
      );
    }
    if (is) return {pid: child.pid, stop};
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`${command} did not answer within a minute: ${said}`);
    }
    await pause(50);
  }
};

/**
 * Starts a server on a free port: again on another one when it ended at once, since the port may have been taken
 * meanwhile. Rejects with what it said when it doesn't answer.
 *
 * @param {(port: number) => Promise<Spec>} spec
 * @returns {Promise<{pid: number, port: number, stop(): Promise<void>}>}
 */
export const startChild = async spec => {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return {...(await startOnce(await spec(port))), port};
    } catch (error) {
      if (attempt === 3 || !/in use|already bound/i.test(String(error))) throw error;
    }
  }
};
