/** Overview: every store and every check at a glance, with the age of what is shown. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import type {State} from '../source/state/state.js';
import {count, plural, tally} from './format.js';
import {Lines} from './lines.js';
import {columnsAt, type Entry, storeStyle} from './overview-columns.js';
import {type Line, span, spread, wrap} from './paint.js';
import {symbols} from './symbols.js';
import {DataTable} from './table.js';
import {upTo} from './told.js';
import {trendOf} from './trend.js';
import type {ViewProps} from './view.js';

/** What there is to say of the check under the cursor and of its store. */
const detailLines = (
  {check, list, store, trend: {line, change, style}}: Entry,
  standIns: boolean,
  width: number,
): Line[] => {
  const found = list.error
    ? [span(`${list.error.message}. ${list.error.hint}`, 'bad')]
    : [tally(list.summary?.byReason ?? {}) || (list.summary ? 'nothing found' : 'not answered yet')];
  const took = list.summary ? `, took ${count(Math.round(list.summary.tookMs))} ms` : '';
  return [
    spread(
      [span(check.id, 'bold'), ` looks at ${check.table}${took}`],
      change === '' ? [] : [span(` ${line} ${change}`, style)],
      width,
    ),
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
      trend: trendOf(state.trends[check.id], state.now),
    }),
  );
  const spec = columnsAt(entries, width);
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
