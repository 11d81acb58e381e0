/** Where a customer is found among rows that may be duplicates, and among the accounts that refer to them. */
import type {DuplicatesConfig} from '../config/schema.js';
import {templateNames} from '../forms.js';
import {customerColumns, guessedEmails, type Identities, type IdentityColumn, type Shapes} from './check.js';
import {referenceOf, show} from './duplicates-rules.js';

type Config = DuplicatesConfig;

/** `sess_{accountId}`: the account of a canonical id that was typed. Only where the template has that one attribute. */
const accountOf = ({canonicalId, groupBy}: Config): IdentityColumn['from'] => {
  const names = canonicalId === undefined ? [] : templateNames(canonicalId);
  if (canonicalId === undefined || names.length !== 1 || names[0] !== groupBy[0]) return undefined;
  const [before, after] = canonicalId.split(`{${names[0]}}`) as [string, string];
  return typed =>
    typed.length > before.length + after.length && typed.startsWith(before) && typed.endsWith(after)
      ? typed.slice(before.length, typed.length - after.length)
      : null;
};

/** The first column of groupBy is the customer's; what else groups rows may be shared (a stream). */
export const duplicatesIdentities = (config: Config, shapes: Shapes): Identities[] => {
  const {table, groupBy, unordered, referencedBy} = config;
  const key = shapes[table]?.key ?? [];
  const [customer, ...others] = groupBy.filter(name => !unordered.includes(name));
  const account: IdentityColumn[] =
    customer === undefined ? [] : customerColumns(customer, accountOf(config));
  const rows: Identities = {
    table,
    sessions: true,
    where: [
      ...account,
      ...key
        .filter(attr => !groupBy.includes(attr))
        .map((attr): IdentityColumn => ({of: {attr}, names: key.length === 1 ? 'row' : 'shared'})),
      ...others.map((attr): IdentityColumn => ({of: {attr}, names: 'shared'})),
      ...guessedEmails(shapes[table]),
    ],
    form: match => ({form: 'rows', from: table, where: match, show: show(config, shapes), tags: {}}),
  };
  if (!referencedBy || customer === undefined) return [rows];
  const {table: from, key: accountKey, attribute} = referencedBy;
  const accounts: Identities = {
    table: from,
    sessions: false,
    where: [
      ...customerColumns(accountKey, accountOf(config)),
      ...(key.length > 0 ? [{of: referenceOf(config, shapes), names: 'link' as const}] : []),
      ...guessedEmails(shapes[from]),
    ],
    form: match => ({form: 'rows', from, where: match, show: [accountKey, attribute], tags: {}}),
  };
  return [rows, accounts];
};
