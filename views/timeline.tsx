/** A customer's sessions over all stores as one table, the newest first. */
import type {ReactElement} from 'react';
import {type Customer, sessionName} from '../source/state/customer.js';
import {keyText} from '../source/state/filter.js';
import type {CustomerSession} from '../source/ui/customer.js';
import {fitted} from './columns.js';
import {compact, moment} from './format.js';
import type {Style} from './paint.js';
import {symbols} from './symbols.js';
import {type Cell, DataTable, type TableColumn} from './table.js';

type Entry = {session: CustomerSession; selected: boolean /** Seconds since it was read. */; since: number};
type Column = TableColumn & {flex?: number; cell: (entry: Entry) => Cell};

const styleOf = ({blocks, wrong}: CustomerSession): Style =>
  blocks ? 'bad' : wrong.length > 0 ? 'warn' : 'plain';

const sign = ({blocks, wrong}: CustomerSession): string =>
  blocks ? symbols.bad : wrong.length > 0 ? symbols.warning : ' ';

const wrongText = ({blocks, wrong}: CustomerSession): string =>
  wrong.join(', ') || (blocks ? 'blocks' : symbols.good);

const columns: Column[] = [
  {
    id: 'mark',
    title: '',
    width: 2,
    cell: ({session, selected}) => ({
      text: `${selected ? symbols.cursor : ' '}${sign(session)}`,
      style: styleOf(session),
    }),
  },
  {
    id: 'age',
    title: 'Age',
    width: 7,
    align: 'right',
    cell: ({session: {ageSeconds}, since}) => ({
      text: ageSeconds === null ? '?' : compact(ageSeconds + since),
    }),
  },
  {id: 'store', title: 'Store', width: 8, cell: ({session}) => ({text: session.store})},
  {
    id: 'status',
    title: 'Status',
    width: 10,
    cell: ({session}) => ({text: session.status ?? '–', style: session.blocks ? 'bad' : 'plain'}),
  },
  {id: 'key', title: 'Key', width: 16, flex: 4, cell: ({session}) => ({text: keyText(session.key)})},
  {
    id: 'wrong',
    title: 'What is wrong',
    width: 18,
    flex: 2,
    cell: ({session}) => ({
      text: wrongText(session),
      style: session.blocks || session.wrong.length > 0 ? styleOf(session) : 'good',
    }),
  },
];

const more: Column[] = [
  {
    id: 'since',
    title: 'Since',
    width: 19,
    cell: ({session}) => ({text: session.at === null ? '?' : moment(session.at)}),
  },
  {id: 'table', title: 'Table', width: 18, cell: ({session}) => ({text: session.table})},
];

export type TimelineProps = {customer: Customer; now: number; room: number; width: number; color: boolean};

/** As many rows as there is room for, around the one under the cursor; three lines more than rows. */
export const TimelineTable = ({customer, now, room, width, color}: TimelineProps): ReactElement => {
  const sessions = customer.report?.sessions ?? [];
  const {index} = customer.cursor;
  const count = Math.max(1, room);
  const top = Math.max(0, Math.min(index - Math.floor(count / 2), sessions.length - count));
  const since = customer.answeredAt === null ? 0 : Math.max(0, (now - customer.answeredAt) / 1000);
  const spec = fitted(columns, more, width);
  const rows = sessions.slice(top, top + count).map((session, offset) => {
    const selected = top + offset === index;
    const entry = {session, selected, since};
    return {
      id: sessionName(session),
      cells: Object.fromEntries(spec.map(column => [column.id, column.cell(entry)])),
      style: selected ? ('cursor' as const) : undefined,
    };
  });
  return <DataTable columns={spec} rows={rows} color={color} />;
};
