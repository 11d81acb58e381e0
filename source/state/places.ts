/** The views, and the checks in each: where a user can be. */
import type {CheckInfo, CheckKind} from '../types.js';

export type ViewId = 'overview' | 'duplicates' | 'null-ids' | 'stale' | 'devices' | 'guards' | 'runs';

export type ViewInfo = {id: ViewId; key: string; title: string; kind: CheckKind | null};

/** In the order of their keys. */
export const views: readonly ViewInfo[] = [
  {id: 'overview', key: '1', title: 'Overview', kind: null},
  {id: 'duplicates', key: '2', title: 'Duplicates', kind: 'duplicates'},
  {id: 'null-ids', key: '3', title: 'Null IDs', kind: 'null-ids'},
  {id: 'stale', key: '4', title: 'Stale', kind: 'stale-sessions'},
  {id: 'devices', key: '5', title: 'Devices', kind: 'device-sessions'},
  {id: 'guards', key: '6', title: 'Guards', kind: null},
  {id: 'runs', key: '7', title: 'Runs', kind: null},
];

export const viewInfo = (id: ViewId): ViewInfo => views.find(view => view.id === id)!;

/** The checks that a view shows, in the order of the configuration. */
export const checksOf = (view: ViewId, checks: readonly CheckInfo[]): CheckInfo[] => {
  const {kind} = viewInfo(view);
  return kind === null ? [] : checks.filter(check => check.kind === kind);
};

export const viewOfKind = (kind: CheckKind): ViewId => views.find(view => view.kind === kind)!.id;
