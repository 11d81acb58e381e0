/** What a filter is matched against: a finding's group, its reasons, and the keys and values of its rows. */
import type {Finding} from '../types.js';
import type {Json} from '../values.js';

const haystacks = new WeakMap<Finding, string>();

/** One line of text for a value: strings bare, the rest as JSON. Not sanitised. */
export const plainText = (value: Json | undefined): string => {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** A key as `--id` takes it: the value of a single column, or a JSON array of several. */
export const keyText = (key: Record<string, Json>): string => {
  const parts = Object.values(key);
  return parts.length === 1 ? plainText(parts[0]) : JSON.stringify(parts);
};

/** A group as it is shown: several columns as a list. */
export const groupText = (group: Json): string =>
  Array.isArray(group) ? group.map(part => plainText(part)).join(' · ') : plainText(group);

/** What a finding is known by: its group, or the key of its row where the group is nothing (an id that is missing). */
export const nameOf = (finding: Finding): string =>
  groupText(finding.group) || (finding.rows[0] ? keyText(finding.rows[0].key) : '');

const haystack = (finding: Finding): string => {
  const known = haystacks.get(finding);
  if (known !== undefined) return known;
  const rows = finding.rows.flatMap(row => [
    ...Object.values(row.key),
    ...Object.values(row.values),
    row.verdict,
  ]);
  const text = [groupText(finding.group), ...finding.reasons, finding.severity, ...rows.map(plainText)]
    .join('\n')
    .toLowerCase();
  haystacks.set(finding, text);
  return text;
};

/** True when every word of the filter is somewhere in the finding, in any case. An empty filter matches all. */
export const matches = (finding: Finding, filter: string): boolean => {
  if (filter === '') return true;
  const text = haystack(finding);
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.includes(word));
};
