// Preloaded (`node --import`) into the built program: counts every operation that leaves a mark and, at one of them,
// kills the process or lets the operation fail. Nothing in the product knows of it.
//
//   SESSTUI_STEPS_STATE  the state directory: operations on files below it count
//   SESSTUI_STEPS_AT     at which operation (1 is the first); 0 only counts
//   SESSTUI_STEPS_DO     kill-before, kill-after (a message: once its bytes are the kernel's), interrupt (as Ctrl-C
//                        does; the operation is done), or an error's code
//   SESSTUI_STEPS_KINDS  which kinds count (comma-separated); all that leave a mark by default
//   SESSTUI_STEPS_LAST   with an error's code: at which operation it ends; 1000000000 for one that stays
//   SESSTUI_STEPS_HASTE  1: what waits for a rate or a pause waits a millisecond
//   SESSTUI_STEPS_LOG    a file that gets a line for each operation: number, kind, what
//
// Kinds: open (to write), make, write, sync, remove, rename, truncate, attributes, message; and, which leave no mark:
// read (of a file), look (to open for reading, as a directory is before it is synced), question (to a store).
import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import net from 'node:net';
import {dirname, resolve, sep} from 'node:path';
import timers from 'node:timers/promises';

const environment = process.env;
const state = resolve(environment.SESSTUI_STEPS_STATE);
const at = Number(environment.SESSTUI_STEPS_AT ?? 0);
const last = Number(environment.SESSTUI_STEPS_LAST ?? at);
const act = environment.SESSTUI_STEPS_DO ?? '';
const marks = ['open', 'make', 'write', 'sync', 'remove', 'rename', 'truncate', 'attributes', 'message'];
const kinds = new Set(environment.SESSTUI_STEPS_KINDS?.split(',') ?? marks);
const log = environment.SESSTUI_STEPS_LOG ? fs.openSync(environment.SESSTUI_STEPS_LOG, 'a') : null;
const {writeSync} = fs;

let count = 0;
/** Messages before the first mark on disk are questions: nothing is written before something is on disk. */
let begun = false;

const die = () => {
  process.kill(process.pid, 'SIGKILL');
  // The signal is delivered before this ends; nothing else may run in between.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

const errnos = {ENOSPC: -28, EMFILE: -24, EIO: -5, EROFS: -30, EDQUOT: -122};

/** As Node tells it, with the path. */
const failure = (code, what) => {
  const [syscall, ...path] = what.split(' ');
  return Object.assign(new Error(`${code}: injected, ${syscall} '${state}${path.join(' ')}'`), {
    code,
    errno: errnos[code],
    syscall,
  });
};

/** Counts an operation; returns what is to happen to it: nothing, `after` (die once it is done), or an error. */
const step = (kind, what) => {
  const isSent = kind === 'message' || kind === 'question';
  if (!isSent && marks.includes(kind)) begun = true;
  if (!kinds.has(kind) || (isSent && !begun)) return null;
  count++;
  if (log !== null) writeSync(log, `${count} ${kind} ${what}\n`);
  if (at === 0 || count < at || count > last) return null;
  if (act === 'kill-before') die();
  if (act === 'interrupt') {
    process.kill(process.pid, 'SIGINT');
    return null;
  }
  return act === 'kill-after' ? 'after' : failure(act, what);
};

const within = path => {
  if (path instanceof URL) return within(path.pathname);
  if (typeof path !== 'string') return null;
  const whole = resolve(path);
  // The parent is synced when the directory is made.
  if (whole === dirname(state)) return '..';
  return whole === state || whole.startsWith(state + sep) ? whole.slice(state.length) || '/' : null;
};

const isForWriting = flags =>
  typeof flags === 'string'
    ? !/^rs?$/.test(flags)
    : ((flags ?? 0) & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT)) !== 0;

const kindOfOpen = (_path, flags) => (isForWriting(flags) ? 'open' : 'look');

/** Functions by path, with the kind of each. */
const byPath = {
  open: kindOfOpen,
  mkdir: () => 'make',
  mkdtemp: () => 'make',
  writeFile: () => 'write',
  appendFile: () => 'write',
  copyFile: () => 'write',
  rename: () => 'rename',
  link: () => 'rename',
  symlink: () => 'rename',
  rm: () => 'remove',
  rmdir: () => 'remove',
  unlink: () => 'remove',
  truncate: () => 'truncate',
  utimes: () => 'attributes',
  chmod: () => 'attributes',
  readFile: () => 'read',
};

const handles = new WeakMap();

const wrapPromise = (object, name, kindOf, nameOf) => {
  const original = object[name];
  if (!original) return;
  object[name] = async function wrapped(...args) {
    const what = nameOf(this, args);
    const verdict = what === null ? null : step(kindOf(...args), `${name} ${what}`);
    if (verdict instanceof Error) throw verdict;
    const result = await original.apply(this, args);
    if (verdict === 'after') die();
    if (name === 'open' && what !== null) handles.set(result, what);
    return result;
  };
};

const wrapCallback = (name, kindOf) => {
  const original = fs[name];
  fs[name] = function wrapped(...args) {
    const what = within(args[0]);
    const verdict = what === null ? null : step(kindOf(...args), `${name} ${what}`);
    const done = args.at(-1);
    if (verdict instanceof Error) {
      process.nextTick(done, verdict);
      return;
    }
    if (verdict === 'after') args[args.length - 1] = die;
    original.apply(this, args);
  };
};

const wrapSync = (name, kindOf) => {
  const original = fs[name];
  fs[name] = function wrapped(...args) {
    const what = within(args[0]);
    const verdict = what === null ? null : step(kindOf(...args), `${name} ${what}`);
    if (verdict instanceof Error) throw verdict;
    const result = original.apply(this, args);
    if (verdict === 'after') die();
    return result;
  };
};

const probe = await fs.promises.open(process.execPath);
const FileHandle = Object.getPrototypeOf(probe);
await probe.close();

for (const [name, kindOf] of Object.entries(byPath)) {
  wrapPromise(fs.promises, name, kindOf, (_, args) => within(args[0]));
  wrapCallback(name, kindOf);
  wrapSync(`${name}Sync`, kindOf);
}
for (const [name, kind] of Object.entries({
  write: 'write',
  writev: 'write',
  writeFile: 'write',
  appendFile: 'write',
  sync: 'sync',
  datasync: 'sync',
  truncate: 'truncate',
  chmod: 'attributes',
}))
  wrapPromise(
    FileHandle,
    name,
    () => kind,
    handle => handles.get(handle) ?? null,
  );
if (environment.SESSTUI_STEPS_HASTE === '1') {
  const {setTimeout} = timers;
  timers.setTimeout = (ms, value, options) => setTimeout(Math.min(ms, 1), value, options);
}
syncBuiltinESMExports();

// Every write of a socket, and of TLS above one, goes through this. While it connects the data waits and comes again.
const {_writeGeneric} = net.Socket.prototype;
net.Socket.prototype._writeGeneric = function wrapped(writev, data, encoding, done) {
  if (this.connecting || this.remotePort === undefined)
    return _writeGeneric.call(this, writev, data, encoding, done);
  const text = textOf(writev, data);
  const verdict = step(isQuestion(text) ? 'question' : 'message', text);
  if (verdict instanceof Error) return this.destroy(verdict);
  if (verdict !== 'after') return _writeGeneric.call(this, writev, data, encoding, done);
  return _writeGeneric.call(this, writev, data, encoding, die);
};

/** Messages that only ask, in the three stores' languages: what is not known to only ask counts as a message. */
const questions = [
  /^[QP] .{0,4}(?:select|declare|fetch|close) (?!.*for update)/i,
  /^Q .{0,4}begin isolation level read committed read only/,
  /^.{0,4}user \w+ database /,
  /^X$/,
  /DynamoDB_\d+\.(?:DescribeTable|ListTables|Scan|Query|GetItem|BatchGetItem) /,
  /\b(?:ismaster|hello|buildInfo|serverStatus|listCollections|endSessions|find \w+ filter|aggregate \w+ pipeline)\b/,
  // How often an index build is asked about is a matter of time.
  /\b(?:listIndexes|currentOp|count \w+ maxTimeMS)\b/,
];
const isQuestion = text => questions.some(pattern => pattern.test(text));

/** What a message says, in a few letters that a terminal can show. */
const textOf = (writev, data) => {
  const parts = writev ? data.map(({chunk}) => chunk) : [data];
  return Buffer.concat(parts.map(part => Buffer.from(part)))
    .toString('latin1')
    .replaceAll(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 120);
};
