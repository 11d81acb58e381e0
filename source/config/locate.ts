/** Finds the configuration file and reads its text. */
import {open, stat} from 'node:fs/promises';
import path from 'node:path';
import envPaths from 'env-paths';
import {SesstuiError} from '../errors.js';
import {sanitise} from '../sanitise.js';

export const fileNames = ['sesstui.yaml', 'sesstui.yml', 'sesstui.json'] as const;

/** A file larger than this is not a configuration. */
const mostBytes = 1024 * 1024;

/** The user's configuration directory of this system. */
const userConfigDirectory = (): string => envPaths('sesstui', {suffix: ''}).config;

const isThere = async (file: string): Promise<boolean> => {
  try {
    await stat(file);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // What can't be looked at is there: reading it then says why it can't be read.
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
};

/**
 * The absolute path of the configuration: `file` (`--config`) where it is given, else the first of `fileNames` in
 * `cwd`, else in the user's configuration directory. Throws `config` when there is none.
 */
export const locateConfig = async (options: {
  file?: string;
  cwd: string;
  userDirectory?: string;
}): Promise<string> => {
  if (options.file !== undefined && options.file !== '') return path.resolve(options.cwd, options.file);
  const userDirectory = options.userDirectory ?? userConfigDirectory();
  for (const directory of [options.cwd, userDirectory])
    for (const name of fileNames) {
      const file = path.join(directory, name);
      if (await isThere(file)) return file;
    }
  throw new SesstuiError(
    'config',
    `There is no configuration: no ${fileNames.join(', ')} in ${sanitise(options.cwd)} or ${sanitise(userDirectory)}.`,
    'Write one with `sesstui init`, name one with --config FILE, or look around with `sesstui --demo`.',
  );
};

const readFaults: Record<string, [text: string, hint: string]> = {
  ENOENT: ['is not there', 'Check the path, or write a configuration with `sesstui init`.'],
  ENOTDIR: ['is not there', 'Check the path, or write a configuration with `sesstui init`.'],
  EISDIR: ['is a directory, not a file', 'Name the file in it.'],
  EACCES: ['can not be read: permission denied', 'Let this user read it.'],
  EPERM: ['can not be read: permission denied', 'Let this user read it.'],
  ELOOP: ['is a link to itself', 'Name the file itself.'],
};

/** The text of a configuration file, without a byte order mark. Throws `config`, with what to do. */
export const readConfigText = async (file: string): Promise<string> => {
  const shown = sanitise(file);
  let bytes: Buffer;
  try {
    bytes = await readBytes(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const [text, hint] = readFaults[code] ?? [`can not be read: ${code}`, 'Check the file.'];
    throw new SesstuiError('config', `${shown} ${text}.`, hint, error);
  }
  if (bytes.length > mostBytes)
    throw new SesstuiError(
      'config',
      `${shown} is larger than 1 MiB, so it is not a configuration.`,
      'Check the path.',
    );
  try {
    // The decoder takes the byte order mark away.
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch (error) {
    throw new SesstuiError('config', `${shown} is not UTF-8 text.`, 'Save it as UTF-8.', error);
  }
};

/** At most one byte more than a configuration may have, also from something without a size or an end. */
const readBytes = async (file: string): Promise<Buffer> => {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(mostBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const {bytesRead} = await handle.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
};
