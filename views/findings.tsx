/** Duplicates, Null IDs, Stale and Devices: the list of one check. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import type {List} from '../source/state/lists.js';
import {viewInfo} from '../source/state/places.js';
import {currentCheck} from '../source/state/places-of-state.js';
import {shown} from '../source/state/shown.js';
import type {State} from '../source/state/state.js';
import type {CheckInfo} from '../source/types.js';
import {columnsFor} from './columns.js';
import {ago} from './format.js';
import {Lines} from './lines.js';
import {type Line, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import {DataTable} from './table.js';
import {windowRows} from './table-text.js';
import type {ViewProps} from './view.js';

const healthySentence: Record<CheckInfo['kind'], string> = {
  duplicates: 'No duplicates: every group has one row, with the id that it should have.',
  'null-ids': 'No faulty ids: every row has one of its own, in the right format.',
  'stale-sessions': 'Nobody is blocked: no session or request has been waiting too long.',
  'device-sessions': 'No sessions here: nobody is signed in.',
};

/** What stands where rows would: why there are none. */
const emptyLines = (state: State, check: CheckInfo, list: List, width: number): Line[] => {
  if (list.error && list.total === null) {
    return [
      [span(`${symbols.bad} ${check.id} could not be read.`, 'bad')],
      ...wrap(list.error.message, width - 2).map((text): Line => [span(`  ${text}`, 'bad')]),
      ...wrap(list.error.hint, width - 2).map(text => [`  ${text}`]),
      ['  It is tried again by itself; R tries now.'],
    ];
  }
  if (list.total === null) return [[span(`Looking at ${check.table} in ${check.store}…`, 'dim')]];
  if (list.filter !== '') return [[`Nothing loaded matches “${list.filter}”. Esc clears the filter.`]];
  const looked = list.answeredAt === null ? '' : ` (looked ${ago(list.answeredAt, state.now)})`;
  const sentence = (check.healthy ?? healthySentence[check.kind]) + looked;
  return wrap(sentence, width - 4).map((text, index) => [
    span(`${index === 0 ? symbols.good : ' '} ${text}`, 'good'),
  ]);
};

const noCheckLines = (state: State): Line[] => {
  const {title, kind} = viewInfo(state.view);
  return [
    [`No ${kind} check is configured, so there is nothing to see under ${title}.`],
    [span('Add one to a store’s checks in sesstui.yaml.', 'dim')],
  ];
};

export const FindingsView = ({state, width, height}: ViewProps): ReactElement => {
  const {color} = state;
  const check = currentCheck(state);
  const list = check && state.lists[check.id];
  if (!check || !list) return <Lines lines={noCheckLines(state)} width={width} color={color} />;
  if (shown(list).count === 0) {
    return <Lines lines={[[], ...emptyLines(state, check, list, width)]} width={width} color={color} />;
  }
  const columns = columnsFor(check, list, width);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <DataTable columns={columns} rows={windowRows(list, columns, height - 3, state.now)} color={color} />
    </Box>
  );
};
