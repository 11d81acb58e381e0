/** Overview: every store and every check at a glance, with the age of what is shown. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import type {List} from '../source/state/lists.js';
import type {State} from '../source/state/state.js';
import type {CheckInfo, StoreStatus} from '../source/types.js';
import {fitted} from './columns.js';
import {ago, count, plural, tally} from './format.js';
import {Lines} from './lines.js';
import {type Line, type Style, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import {type Cell, DataTable, type TableColumn} from './table.js';
import {upTo} from './told.js';
import type {ViewProps} from './view.js';

type Entry = {check: CheckInfo; list: List; store: StoreStatus | undefined; selected: boolean; now: number};
type EntryColumn = TableColumn & {flex?: number; cell: (entry: Entry) => Cell};

const storeStyle: Record<StoreStatus['state'], Style> = {up: 'good', down: 'bad', connecting: 'dim'};

/** A check’s answer in a word and a number. */
const status = ({list}: Entry): Cell => {
  if (list.error) return {text: `${symbols.bad} ${list.error.code}`, style: 'bad'};
  if (!list.summary) return {text: 'looking…', style: 'dim'};
  const {total, bySeverity} = list.summary;
  if (total === 0) return {text: `${symbols.good} none`, style: 'good'};
  const style: Style = bySeverity.critical > 0 ? 'bad' : bySeverity.warning > 0 ? 'warn' : 'dim';
  const worst = bySeverity.critical > 0 ? 'critical' : bySeverity.warning > 0 ? 'warning' : 'info';
  // A finding with several reasons may count more than once.
  const worstCount = Math.min(bySeverity[worst], total);
  const text =
    worstCount === total ? `${count(total)} ${worst}` : `${count(total)}: ${count(worstCount)} ${worst}`;
  return {text, style};
};

const columns: EntryColumn[] = [
  {
    id: 'mark',
    title: '',
    width: 1,
    cell: ({selected}) => ({text: selected ? symbols.cursor : '', style: 'accent'}),
  },
  {id: 'check', title: 'Check', width: 20, flex: 2, cell: ({check}) => ({text: check.id})},
  {
    id: 'store',
    title: 'Store',
    width: 10,
    cell: ({store}) => ({text: store?.state ?? '?', style: storeStyle[store?.state ?? 'connecting']}),
  },
  {id: 'found', title: 'Findings', width: 16, cell: status},
  {
    id: 'looked',
    title: 'Looked',
    width: 10,
    align: 'right',
    cell: ({list, now}) => ({text: list.answeredAt === null ? '–' : ago(list.answeredAt, now)}),
  },
];

const more: EntryColumn[] = [
  {
    id: 'severity',
    title: 'By severity',
    width: 20,
    flex: 3,
    cell: ({list}) => ({text: tally(list.summary?.bySeverity ?? {})}),
  },
  {
    id: 'reasons',
    title: 'By reason',
    width: 40,
    flex: 6,
    cell: ({list}) => ({text: tally(list.summary?.byReason ?? {})}),
  },
  {id: 'kind', title: 'Kind', width: 10, cell: ({check}) => ({text: check.storeKind})},
];

/** What there is to say of the check under the cursor and of its store. */
const detailLines = ({check, list, store}: Entry, standIns: boolean, width: number): Line[] => {
  const found = list.error
    ? [span(`${list.error.message}. ${list.error.hint}`, 'bad')]
    : [tally(list.summary?.byReason ?? {}) || (list.summary ? 'nothing found' : 'not answered yet')];
  const took = list.summary ? `, took ${count(Math.round(list.summary.tookMs))} ms` : '';
  return [
    [span(check.id, 'bold'), ` looks at ${check.table}${took}`],
    ['  ', ...found],
    [span(`  ${check.store}: ${check.storeKind}, ${store?.state ?? 'unknown'}. ${store?.text ?? ''}`, 'dim')],
    ...(standIns && store?.standIn
      ? wrap(`Stand-in: ${store.standIn}`, width - 4).map(text => [span(`  ${text}`, 'warn')])
      : []),
  ];
};

/** Stores that no check looks at still have a state. */
const otherStores = (state: State): Line[] =>
  state.stores
    .filter(store => !state.checks.some(check => check.store === store.store))
    .map(store => [
      `${store.store} (${store.kind}): `,
      span(store.state, storeStyle[store.state]),
      `, no checks. ${store.text}`,
    ]);

const sentenceLines = (sentence: string, width: number): Line[] =>
  wrap(sentence, width - 2).map(
    (text, index): Line => [span(`${index === 0 ? symbols.warning : ' '} ${text}`, 'dim')],
  );

/** The sentences about stand-ins: each on its own where there is room, else one after another. */
const standInLines = ({standIns}: State, width: number, room: number): Line[] => {
  const sentences = standIns ?? [];
  const apart = sentences.flatMap(sentence => sentenceLines(sentence, width));
  return apart.length <= room ? apart : upTo(sentenceLines(sentences.join(' '), width), Math.max(1, room));
};

export const OverviewView = ({state, width, height}: ViewProps): ReactElement => {
  const entries = state.checks.map(
    (check, index): Entry => ({
      check,
      list: state.lists[check.id]!,
      store: state.stores.find(store => store.store === check.store),
      selected: index === state.overview,
      now: state.now,
    }),
  );
  const spec = fitted(columns, more, width);
  const room = Math.max(1, Math.min(entries.length, height - 8));
  const top = Math.max(0, Math.min(state.overview - room + 1, entries.length - room));
  const chosen = entries[state.overview];
  const below: Line[] = [
    ...(chosen ? detailLines(chosen, state.standIns === null, width) : [[`No checks are configured.`]]),
    ...(entries.length > room
      ? [[span(`${plural(entries.length, 'check')}; the arrows scroll.`, 'dim')]]
      : []),
    ...otherStores(state),
  ];
  const left = Math.max(0, height - room - 3);
  const lines = [...below, ...standInLines(state, width, left - below.length)];
  const rows = entries.slice(top, top + room).map(entry => ({
    id: entry.check.id,
    cells: Object.fromEntries(spec.map(column => [column.id, column.cell(entry)])),
    style: entry.selected ? ('cursor' as const) : undefined,
  }));
  return (
    <Box flexDirection="column" flexShrink={0}>
      <DataTable columns={spec} rows={rows} color={state.color} />
      <Lines lines={lines.slice(0, left)} width={width} color={state.color} />
    </Box>
  );
};
