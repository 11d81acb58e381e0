/** A signed-in user deals with its own email's device sessions only. */
import type {Json} from '../../../../source/values.js';
import {columnOf} from '../../catalogue.js';
import {ident} from '../../sql.js';
import {type Spot, spotOf} from '../device-sessions/spot.js';
import type {Place, RuleKeeper, RuleOf, Task} from '../rule.js';
import {proveOwnRows} from './proofs.js';
import {down, policiesOf, up} from './sql.js';
import {type Found, type FoundPolicy, faults, isThere, look, seen} from './state.js';

type Rule = RuleOf<'own-rows'>;

type Before = {
  secured: boolean;
  claim: string | null;
  /** Statements that make again what had the names of this guard's policies. */
  policies: string[];
  /** All that were there. */
  names: string[];
};

const remade = ({name, permissive, command, roles, using, check}: FoundPolicy, {sql}: Spot): string =>
  [
    `create policy ${ident(name)} on ${sql} as ${permissive ? 'permissive' : 'restrictive'} for ${command.toLowerCase()} to ${roles.join(', ')}`,
    ...(using === null ? [] : [`using (${using})`]),
    ...(check === null ? [] : [`with check (${check})`]),
  ].join(' ');

const uninstall = (rule: Rule, place: Place, found: Found, before: Before | null): Task[] => {
  const spot = spotOf(place);
  const own = new Set(policiesOf(rule.columns, spot).map(({name}) => name));
  const restored = found.policies.filter(({name}) => own.has(name)).map(policy => remade(policy, spot));
  const wanted = before?.policies ?? [];
  // Policies that came later count on row security: to switch it off would open the table behind their backs.
  const later =
    before && !before.secured
      ? found.policies.filter(({name}) => !own.has(name) && !before.names.includes(name))
      : [];
  const secured = before && (before.secured || later.length > 0);
  if (
    (before?.claim ?? null) === (found.claim?.definition ?? null) &&
    JSON.stringify(restored) === JSON.stringify(wanted) &&
    (secured ?? found.secured) === found.secured
  )
    return [];
  const why =
    later.length > 0
      ? `; row level security stays on, because ${later.map(({name}) => name).join(', ')} came after it`
      : '';
  const statements = down(rule.columns, spot, secured);
  return [
    {
      name: 'policies',
      phase: 'refuse',
      text: `takes away the policies of ${place.table.name}${why}`,
      statements: [
        ...(before?.claim ? [...statements.slice(0, -1), before.claim.trim()] : statements),
        ...wanted,
      ],
      how: 'transaction',
    },
  ];
};

export const ownRows: RuleKeeper<Rule> = {
  unavailable({columns}, {table}) {
    const needed = [columns.email, columns.type, columns.protected];
    const missing = needed.find(name => !columnOf(table, name));
    if (missing !== undefined) return `"${table.name}" has no column "${missing}"`;
    if (columnOf(table, columns.email)!.type.family !== 'text')
      return `"${columns.email}" of "${table.name}" is no text`;
    const {family} = columnOf(table, columns.protected)!.type;
    return family === 'bool' ? null : `"${columns.protected}" of "${table.name}" is no boolean`;
  },
  state: async (rule, place, run) => seen(rule, spotOf(place), await look(place, run)),
  async capture(rule, place, run): Promise<Json> {
    const found = await look(place, run);
    const spot = spotOf(place);
    if (isThere(rule, spot, found) && faults(rule, spot, found).length === 0) return null;
    const own = new Set(policiesOf(rule.columns, spot).map(({name}) => name));
    return {
      secured: found.secured,
      claim: found.claim?.definition ?? null,
      policies: found.policies.filter(({name}) => own.has(name)).map(policy => remade(policy, spot)),
      names: found.policies.map(({name}) => name),
    };
  },
  async tasks(rule, place, direction, run, before) {
    const found = await look(place, run);
    const spot = spotOf(place);
    if (direction === 'uninstall') return uninstall(rule, place, found, before as Before | null);
    if (isThere(rule, spot, found) && faults(rule, spot, found).length === 0) return [];
    return [
      {
        name: 'policies',
        phase: 'refuse',
        text: `lets a signed-in user at the device sessions of its own email in ${place.table.name}, and at nothing else`,
        statements: up(rule.columns, spot).filter(text => !text.startsWith('--')),
        how: 'transaction',
      },
    ];
  },
  script: ({columns}, place, direction) =>
    direction === 'install' ? up(columns, spotOf(place)) : down(columns, spotOf(place), null),
  prove: proveOwnRows,
};
