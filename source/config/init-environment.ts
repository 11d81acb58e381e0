/** Which stores the environment tells of, for `sesstui init`. */
import {type StoreConfig, storeSchema} from './schema.js';

export type Candidate = {
  name: string;
  /** The store as it can be opened now. */
  store: StoreConfig;
  /** The same as the file says it: variables by name, never what they hold. */
  lines: string[];
  /** The variable that tells of it. */
  variable: string;
};

export type EnvironmentStores = {candidates: Candidate[]; notes: string[]};

/** What is looked for, for the message when there is nothing. */
export const lookedFor = [
  'DATABASE_URL (or NAME_DATABASE_URL)',
  'MONGODB_URI with MONGODB_DB',
  'AWS_REGION or AWS_DEFAULT_REGION',
  'DYNAMODB_ENDPOINT',
];

const addressVariable =
  /^(?:([A-Z0-9_]+)_)?(?:DATABASE_URL|POSTGRES_URL|PG_URL|MONGODB_URI|MONGODB_URL|MONGO_URI|MONGO_URL)$/;

/** The stores of the environment, named after their variables: `GYM_DATABASE_URL` is `gym`. */
export const storesOfEnvironment = (env: NodeJS.ProcessEnv): EnvironmentStores => {
  const found: EnvironmentStores = {candidates: [], notes: []};
  const addresses = new Set<string>();
  // The plain names first: where two variables hold the same address, they name the store.
  const names = Object.keys(env).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  for (const variable of names) {
    const match = addressVariable.exec(variable);
    const url = env[variable];
    if (!match || !url || addresses.has(url)) continue;
    addresses.add(url);
    const prefix = match[1];
    if (/^postgres(?:ql)?:\/\//.test(url))
      add(found, prefix ?? 'postgres', variable, {kind: 'postgres', url}, []);
    else if (/^mongodb(?:\+srv)?:\/\//.test(url)) addMongo(found, prefix, variable, url, env);
    else
      found.notes.push(`${variable} is set, but begins with neither postgres:// nor mongodb://: left out.`);
  }
  addDynamo(found, env);
  return found;
};

const add = (
  found: EnvironmentStores,
  wanted: string,
  variable: string,
  store: object,
  more: string[],
): void => {
  const parsed = storeSchema.safeParse(store);
  if (!parsed.success) {
    found.notes.push(`${variable} is set, but no store can be made of it: left out.`);
    return;
  }
  const base = wanted.toLowerCase();
  let name = base;
  for (let count = 2; found.candidates.some(candidate => candidate.name === name); count++)
    name = `${base}-${count}`;
  const url = 'url' in parsed.data ? [`url: \${${variable}}`] : [];
  found.candidates.push({
    name,
    store: parsed.data,
    variable,
    lines: [`kind: ${parsed.data.kind}`, ...url, ...more],
  });
};

const addMongo = (
  found: EnvironmentStores,
  prefix: string | undefined,
  variable: string,
  url: string,
  env: NodeJS.ProcessEnv,
): void => {
  const candidates = [
    ...(prefix ? [`${prefix}_MONGODB_DB`, `${prefix}_MONGO_DB`] : []),
    'MONGODB_DB',
    'MONGO_DB',
  ];
  const databaseVariable = candidates.find(name => env[name]);
  // Without one the driver takes the database of the address, and `test` where that has none.
  const named = /^mongodb(?:\+srv)?:\/\/[^/]+\/([\w-]+)/.exec(url)?.[1];
  const database = databaseVariable ? env[databaseVariable] : (named ?? 'test');
  const line = databaseVariable
    ? `database: \${${databaseVariable}}`
    : `database: \${${candidates[0]}:-${database}}   # ${candidates[0]} was not set`;
  add(found, prefix ?? 'mongodb', variable, {kind: 'mongodb', url, database}, [line]);
};

const addDynamo = (found: EnvironmentStores, env: NodeJS.ProcessEnv): void => {
  const regionVariable = ['AWS_REGION', 'AWS_DEFAULT_REGION'].find(name => env[name]);
  const endpoint = env.DYNAMODB_ENDPOINT;
  if (!regionVariable && !endpoint) return;
  const region = regionVariable ? env[regionVariable] : undefined;
  if (region !== undefined && !/^[a-z0-9-]+$/.test(region)) {
    found.notes.push(`${regionVariable} is set, but does not hold the name of a region: left out.`);
    return;
  }
  add(found, 'dynamodb', regionVariable ?? 'DYNAMODB_ENDPOINT', {kind: 'dynamodb', region, endpoint}, [
    `region: \${${regionVariable ?? 'AWS_REGION'}:-${region ?? 'us-east-1'}}`,
    `endpoint: \${DYNAMODB_ENDPOINT:-}   # empty means AWS`,
  ]);
};
