/** dynoxide: DynamoDB's interface over SQLite, in one program. */
import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {cached} from './cache.mjs';
import {needLinuxX64, unpackNpm} from './npm-package.mjs';

const run = promisify(execFile);
const version = '1.2.1';
const integrity =
  'sha512-sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg==';

/** The program's path; installed when it isn't there. */
export const dynoxide = async () => {
  needLinuxX64();
  const folder = await cached(`dynoxide-${version}`, into =>
    unpackNpm(`@dynoxide/linux-x64@${version}`, integrity, into),
  );
  return join(folder, 'package', 'dynoxide');
};

/** What it calls itself, as in `dynoxide 1.2.1`. */
export const dynoxideVersion = async program => (await run(program, ['--version'])).stdout.trim();
