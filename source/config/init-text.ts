/** The text of a starter configuration. */
import {sanitise} from '../sanitise.js';
import type {Candidate} from './init-environment.js';
import type {Suggestion} from './init-match.js';

export type LookedAt = Candidate & {
  checks: Suggestion[];
  guesses: Suggestion[];
  /** Why it could not be looked at, in one line; null when it could. */
  fault: string | null;
};

const plain = /^[A-Za-z_][\w.-]*$/;
const notText = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** A value in YAML's flow style, in ASCII on one line; a dollar sign is doubled, so that it stays one. */
const yamlValue = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${yamlValue(item)}`)
      .join(', ')}}`;
  if (typeof value !== 'string') return JSON.stringify(value);
  if (plain.test(value) && !notText.test(value)) return value;
  return JSON.stringify(value.replaceAll('$', '$$$$')).replace(
    /[^\x20-\x7e]/g,
    unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
};

const comment = (text: string): string => `# ${sanitise(text)}`;

const checkLines = ({why, check}: Suggestion): string[] => [
  comment(why),
  ...Object.entries(check).map(
    ([key, value], index) => `${index === 0 ? '- ' : '  '}${key}: ${yamlValue(value)}`,
  ),
];

/** A check's id is its store and its name: a second one of a kind gets the name of its table. */
const withNames = (suggestions: Suggestion[], taken: Set<string>): Suggestion[] =>
  suggestions.map(suggestion => {
    const {check: kind, ...rest} = suggestion.check;
    const base = suggestion.tables[0]!.replace(/[^\w.-]/g, '-');
    let name = taken.has(String(kind)) ? base : String(kind);
    for (let count = 2; taken.has(name); count++) name = `${base}-${count}`;
    taken.add(name);
    return name === kind ? suggestion : {...suggestion, check: {check: kind, name, ...rest}};
  });

const indent = (lines: string[], by: number): string[] =>
  lines.map(line => (line === '' ? '' : ' '.repeat(by) + line));

const storeLines = (store: LookedAt): string[] => {
  const taken = new Set<string>();
  const checks = withNames(store.checks, taken).flatMap(checkLines);
  const guesses = withNames(store.guesses, taken)
    .flatMap(checkLines)
    .map(line => (line.startsWith('#') ? line : `# ${line}`));
  const nothing =
    store.fault ?? 'No table was recognised: add the checks that fit (see the end of this file).';
  return [
    `${store.name}:`,
    ...indent(store.lines, 2),
    ...(store.checks.length === 0 ? indent([comment(nothing)], 2) : []),
    ...(checks.length === 0 ? ['  checks: []'] : ['  checks:', ...indent(checks, 4)]),
    ...indent(guesses, 4),
  ];
};

const head = `# The configuration of sesstui, begun by \`sesstui init\`.
# \${NAME} takes an environment variable and \${NAME:-default} has a default, so no password need be in this file.

# development, test, staging and demo are safe places. Any other name, or none, is treated as production: read-only
# unless told otherwise, and every change asks for a confirmation.
# environment: staging

# How often the screen looks again.
refresh: 5s
`;

const examples = `
# One example of each kind of check. What is left out has a default.
#
# stores:
#   kite:
#     kind: dynamodb
#     region: \${AWS_REGION:-us-east-1}
#     endpoint: \${DYNAMODB_ENDPOINT:-}          # empty means AWS
#     checks:
#       - check: duplicates
#         table: kite-sessions
#         groupBy: [accountId]                  # rows that are equal in these are one group
#         latestBy: [updatedAt, createdAt]      # the first one that a row has decides
#         canonicalId: sess_{accountId}
#         referencedBy: {table: kite-accounts, key: accountId, attribute: session}
#   chat:
#     kind: mongodb
#     url: \${MONGODB_URI}
#     database: \${MONGODB_DB}
#     checks:
#       - check: null-ids
#         collection: conversations
#         id: sessionId
#         touch: updatedAt                      # set to now when an id is assigned
#   gym:
#     kind: postgres
#     url: \${DATABASE_URL}
#     checks:
#       - check: device-sessions
#         table: auth_sessions
#         fingerprint: {salt: '\${SESSION_SALT:-}'}
#       - check: stale-sessions
#         waitingAfter: 15m
`;

/** The file for the stores that were found; the examples alone where there is none. Loads with `parseConfig`. */
export const initText = (stores: readonly LookedAt[], notes: readonly string[]): string => {
  const said = notes.map(comment);
  const body = stores.length === 0 ? ['stores: {}'] : ['stores:', ...indent(stores.flatMap(storeLines), 2)];
  return `${head}\n${[...said, ...body].join('\n')}\n${examples}`;
};
