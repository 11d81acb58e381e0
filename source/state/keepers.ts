/** What becomes of a finding's rows once the user has chosen which of them stays. */
import {canonicalJson, type Identity} from '../connector.js';
import type {Finding, FindingRow} from '../types.js';
import type {List} from './lists.js';

export const isSame = (a: Identity, b: Identity): boolean => canonicalJson(a.at) === canonicalJson(b.at);

export type Judgement = {verdict: string; why: string; chosen: 'kept' | 'left' | null};

/** The verdict on a row and its reason: the user's choice goes before the rule's. */
export const judgementOf = (row: FindingRow, finding: Finding, list: List): Judgement => {
  const keeper = list.keepers[finding.id];
  if (!keeper) return {verdict: row.verdict, why: row.why, chosen: null};
  return isSame(keeper, row.identity)
    ? {verdict: 'keep (yours)', why: 'chosen by hand', chosen: 'kept'}
    : {verdict: 'delete', why: 'not the one you keep', chosen: 'left'};
};
