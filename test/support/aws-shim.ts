/** Runs a bash script with an `aws` on its PATH that knows what the scripts of guards ask of AWS's own. */
import {spawn} from 'node:child_process';
import {chmod, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';

const shim = new URL('aws-shim.mjs', import.meta.url).pathname;

export type Ran = {code: number | null; stdout: string; stderr: string};

/** As `bash FILE ARGUMENTS` does, against the DynamoDB at `endpoint`. */
export const runScript = async (script: string, endpoint: string, args: string[] = []): Promise<Ran> => {
  const folder = await mkdtemp(join(tmpdir(), 'sesstui-script-'));
  try {
    const aws = join(folder, 'aws');
    await writeFile(aws, `#!/bin/sh\nexec '${process.execPath}' '${shim}' "$@"\n`);
    await chmod(aws, 0o755);
    const file = join(folder, 'script.sh');
    await writeFile(file, script);
    const child = spawn('bash', [file, ...args], {
      cwd: folder,
      env: {
        ...process.env,
        PATH: `${folder}${delimiter}${process.env.PATH}`,
        AWS_ENDPOINT_URL: endpoint,
        WAIT_SECONDS: '0.1',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    child.stderr.on('data', chunk => {
      stderr += chunk;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return {code, stdout, stderr};
  } finally {
    await rm(folder, {recursive: true});
  }
};
