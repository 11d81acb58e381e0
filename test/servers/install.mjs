/** Gets every server that the tests run on, and says in a line each what is here and what is not, and why. */
import {pathToFileURL} from 'node:url';
import {dynamodbLocal, dynamodbLocalVersion} from './dynamodb-local.mjs';
import {dynoxide, dynoxideVersion} from './dynoxide.mjs';
import {ferretdb, ferretdbVersion} from './ferretdb.mjs';
import {mongod, mongodVersion} from './mongodb.mjs';
import {machinePostgres, postgres18, postgresVersion} from './postgres.mjs';

/** With CI set nothing may be missing: a server that is not there would be one that nothing was tested on. */
export const inCi = !['', 'false', '0'].includes(process.env.CI ?? '');

const wanted = [
  {name: "the machine's PostgreSQL", get: machinePostgres, version: postgresVersion},
  {name: 'PostgreSQL 18', get: postgres18, version: postgresVersion},
  {name: 'DynamoDB Local', get: dynamodbLocal, version: dynamodbLocalVersion},
  {name: 'dynoxide', get: dynoxide, version: dynoxideVersion},
  {name: 'FerretDB', get: ferretdb, version: ferretdbVersion},
  {name: 'MongoDB 6', get: mongod, version: mongodVersion},
];

/** The last words of a program that failed, in one line. */
const reason = error => {
  if (error.code === 'ENOENT' && error.path) return `there is no program ${error.path}`;
  const text = String(error.stderr || error.message).trim();
  return text.split('\n').slice(-3).join(' ').slice(-400);
};

/**
 * Installs what is missing.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<{names: string[], missing: string[]}>} the servers that are here, by the names of the tests
 */
export const installServers = async say => {
  const names = [];
  const missing = [];
  for (const {name, get, version} of wanted) {
    try {
      const place = await get();
      const found = await version(place);
      // `PostgreSQL 15.13` is tested as PostgreSQL 15; the others have one version here.
      names.push(/^PostgreSQL \d+/.exec(found)?.[0] ?? name);
      say(`has ${found}: ${place}`);
    } catch (error) {
      missing.push(name);
      say(`${inCi ? 'FAILED' : 'without'} ${name}: ${reason(error)}`);
    }
  }
  if (process.env.SESSTUI_TEST_MONGO_URL) say('has a MongoDB: the one that SESSTUI_TEST_MONGO_URL names');
  return {names: [...new Set(names)], missing};
};

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const {missing} = await installServers(line => console.log(line));
  process.exitCode = inCi && missing.length > 0 ? 1 : 0;
}
