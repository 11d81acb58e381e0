/** Guards: what the databases themselves keep out, and the one under the cursor in words. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import type {GuardInfo} from '../source/guards.js';
import {guardIndex, guardName, guardRows} from '../source/state/guards.js';
import type {State} from '../source/state/state.js';
import {guardColumns, guardState} from './guard-columns.js';
import {Lines} from './lines.js';
import {type Line, span, spread, wrap} from './paint.js';
import {scriptLines} from './script-lines.js';
import {symbols} from './symbols.js';
import {DataTable} from './table.js';
import type {ViewProps} from './view.js';

const emptyLines = ({guards}: State, width: number): Line[] => {
  if (guards.error)
    return [
      [span(`${symbols.bad} The guards could not be read.`, 'bad')],
      ...wrap(guards.error.message, width - 4).map((text): Line => [span(`  ${text}`, 'bad')]),
      ...wrap(guards.error.hint, width - 4).map((text): Line => [`  ${text}`]),
    ];
  if (guards.items === null) return [[span('Reading the guards…', 'dim')]];
  return [['No check is configured that has guards.']];
};

/** Why its state is what it is: the store's error and what to do, what differs, or why it can't be had. */
export const whyLines = ({error, why, state}: GuardInfo, width: number): Line[] => {
  const texts = error ? [error.message, error.hint] : [why ?? ''];
  return texts
    .filter(text => text !== '')
    .flatMap((text, index) =>
      wrap(text, width - 4).map(
        (part): Line => [
          span(`  ${part}`, index > 0 ? 'accent' : error || state === 'drifted' ? 'bad' : 'dim'),
        ],
      ),
    );
};

export const preventsLines = ({prevents}: GuardInfo, width: number): Line[] =>
  wrap(`Prevents: ${prevents}`, width - 4).map((text): Line => [`  ${text}`]);

/** The name of the guard, with its state at the right edge. */
export const guardTitle = (guard: GuardInfo, width: number): Line => {
  const {text, style = 'plain'} = guardState(guard);
  return spread(
    [span(guard.guard, 'bold'), ` on ${guard.check}`, guard.optIn ? span('  opt-in', 'accent') : ''],
    [span(text, style)],
    width,
  );
};

/** What there is room for: the sentence and why first, then the beginning of what would be sent. */
const paneLines = (guard: GuardInfo, width: number, room: number): Line[] => {
  const head = [guardTitle(guard, width), ...preventsLines(guard, width), ...whyLines(guard, width)];
  const installed = guard.state === 'installed';
  const script = installed ? guard.down : guard.up;
  const left = room - head.length - 2;
  if (script === '' || left < 4) return head.slice(0, room);
  const lines = scriptLines(script, width, 4);
  const title = `  ${installed ? 'What takes it away' : 'What installs it'} without sesstui (Enter: all of it):`;
  return [...head, [], [span(title, 'dim')], ...lines.slice(0, left)];
};

export const GuardsView = ({state, width, height}: ViewProps): ReactElement => {
  const {guards, color} = state;
  const items = guards.items ?? [];
  if (items.length === 0)
    return <Lines lines={[[], ...emptyLines(state, width)]} width={width} color={color} />;
  const spec = guardColumns(items, width);
  const at = guardIndex(state);
  const rows = items.slice(guards.top, guards.top + guardRows(state)).map((guard, offset) => {
    const selected = guards.top + offset === at;
    return {
      id: guardName(guard),
      cells: Object.fromEntries(spec.map(column => [column.id, column.cell(guard, selected)])),
      style: selected ? ('cursor' as const) : undefined,
    };
  });
  const room = Math.max(0, height - rows.length - 3);
  const guard = items[at];
  return (
    <Box flexDirection="column" flexShrink={0}>
      <DataTable columns={spec} rows={rows} color={color} />
      <Lines lines={guard ? paneLines(guard, width, room) : []} width={width} color={color} />
    </Box>
  );
};
