/**
 * Every key, as data. It drives handling, the footer, the help overlay, the command palette and the readme.
 * Nothing that writes is bound to Enter, Space or a control key outside a dialog (contract: Keys).
 */

import type {RunSummary} from '../types.js';
import {countFindings, wantingOf} from './guards.js';
import type {Mode, ModeName} from './modes.js';
import type {ViewId} from './places.js';
import {canResume} from './resumable.js';
import type {State} from './state.js';

export type Category = 'Move' | 'Mark' | 'Act' | 'Look' | 'Views' | 'Program' | 'Dialogs';

export type Binding = {
  /** The command. Several bindings may stand for the same one. */
  id: string;
  /** A word after a colon is the command's name in the palette, for a command without a key. */
  keys: readonly string[];
  modes: readonly ModeName[];
  /** Only in these views; everywhere if absent. */
  views?: readonly ViewId[];
  /** What it does, for help, palette and readme. */
  text: string;
  category: Category;
  /** A word for the footer, and how early it comes there; not in the footer without one. */
  footer?: {word: string; place: number};
  /** Not offered where this is false. */
  when?: (state: State) => boolean;
  /** Not in the footer where this is false; the key says why it does nothing. */
  useful?: (state: State) => boolean;
};

type More = {word?: string; place?: number} & Pick<Binding, 'views' | 'when' | 'useful'>;

const browse: ModeName[] = ['browse'];
const oneCustomer: ModeName[] = ['customer'];
/** Where the program's own keys work: not in the middle of something. */
const open: ModeName[] = ['browse', 'customer'];
const lists: ViewId[] = ['duplicates', 'null-ids', 'stale', 'devices'];
const moving: ModeName[] = [
  'browse',
  'details',
  'plan',
  'change',
  'results',
  'help',
  'customer',
  'guard-details',
  'guard-plan',
  'guard-results',
];
const choosing: ModeName[] = ['menu', 'palette', 'export'];
const typing: ModeName[] = ['filter', 'palette', 'prompt'];
const buttons: ModeName[] = ['confirm', 'unlock', 'quit', 'guard-confirm'];
const closing: ModeName[] = ['results', 'failure', 'run-details', 'guard-results'];
const leaving: ModeName[] = [
  'details',
  'plan',
  'change',
  'planning',
  'help',
  'menu',
  'export',
  'customer',
  'guard-details',
  'guard-planning',
  'guard-plan',
];

/** Keys are written with spaces between them. */
const bind = (
  category: Category,
  id: string,
  keys: string,
  modes: ModeName[],
  text: string,
  {word, place = 50, ...more}: More = {},
): Binding => ({
  id,
  keys: keys.split(' '),
  modes,
  text,
  category,
  ...more,
  ...(word === undefined ? {} : {footer: {word, place}}),
});

const marking = (id: string, keys: string, text: string, more: More = {}): Binding =>
  bind('Mark', id, keys, browse, text, {views: lists, ...more});
const looking = (id: string, keys: string, text: string, more: More = {}): Binding =>
  bind('Look', id, keys, browse, text, more);
const viewing = (id: string, keys: string, text: string): Binding => bind('Views', id, keys, open, text);

const guards: ViewId[] = ['guards'];
const allGuardsText = 'plan to install this check’s guards, opt-in ones left out';
const actText = 'plan an action for the marked rows, or this one';
const customerText = 'everything about one customer, this row’s first';
const runAt = ({mode, runs}: State): RunSummary | undefined =>
  runs.items?.find(({run}) => run === (mode.name === 'run-details' ? mode.run.run : runs.run));
/** Findings keep the plan from being run. */
const isInTheWay = (mode: Mode): boolean =>
  mode.name === 'guard-plan' && !mode.plan.clean && countFindings(mode.plan) > 0;
const hasCustomer = (state: State): boolean => state.canCustomer;

export const bindings: readonly Binding[] = [
  bind('Move', 'up', 'k up', moving, 'one row up'),
  bind('Move', 'down', 'j down', moving, 'one row down'),
  bind('Move', 'page-up', 'pgup', moving, 'one page up'),
  bind('Move', 'page-down', 'pgdn', moving, 'one page down'),
  bind('Move', 'first', 'g home', moving, 'to the first row'),
  bind('Move', 'last', 'G end', moving, 'to the last row'),

  marking('mark', 'space', 'mark the row, or take its mark away', {word: 'mark', place: 1}),
  marking('range', 'v', 'mark a range: at its first row, then at its last'),
  marking('mark-all', 'a', 'mark all that the filter shows', {word: 'all', place: 6}),
  marking('mark-none', 'A', 'take every mark away'),
  marking('invert', 'i', 'mark what is not marked, and the other way round'),

  bind('Act', 'plan', 'x', ['browse', 'details'], actText, {views: lists, word: 'act', place: 3}),
  bind('Act', 'unblock', 'x', oneCustomer, 'plan what unblocks the customer, and nothing else', {
    word: 'unblock',
    place: 1,
    useful: ({customer}) => customer?.report?.blockedBy.some(({stale}) => stale) === true,
  }),
  bind('Act', 'keeper', 'space', ['details'], 'keep this row of the group instead', {
    views: ['duplicates'],
    word: 'keep this row',
    place: 1,
  }),
  bind('Act', 'undo', 'u', ['browse', 'run-details'], 'plan to take the run back', {
    views: ['runs'],
    word: 'undo',
    place: 3,
    useful: state => runAt(state)?.state !== undefined && runAt(state)?.state !== 'undone',
  }),
  bind('Act', 'resume', 'r', ['browse', 'run-details'], 'plan to finish or close an interrupted run', {
    views: ['runs'],
    word: 'finish it',
    place: 2.5,
    useful: state => {
      const run = runAt(state);
      return run !== undefined && canResume(run);
    },
  }),

  bind('Act', 'guard', 'x', ['browse', 'guard-details'], 'plan to install the guard, or to take it away', {
    views: guards,
    word: 'install or uninstall',
    place: 3,
  }),
  bind('Act', 'install-guards', 'X', ['browse', 'guard-details'], allGuardsText, {
    views: guards,
    word: 'install all of the check',
    place: 3.5,
  }),
  bind(
    'Act',
    'uninstall-guard',
    ':uninstall-guard',
    ['browse', 'guard-details'],
    'plan to take the guard away',
    {
      views: guards,
    },
  ),

  looking('open', 'enter', 'details of the row', {word: 'details', place: 2}),
  looking('filter', '/', 'filter; Esc clears it', {views: lists, word: 'filter', place: 4}),
  looking('sort', 's', 'sort by the next column', {views: lists, word: 'sort', place: 7}),
  looking('reverse', 'S', 'reverse the order', {views: lists}),
  looking('pause', 'p', 'pause the refresh, or go on'),
  looking('refresh', 'R', 'look again now', {word: 'refresh', place: 9}),
  looking('slower', '+ =', 'longer pauses between refreshes'),
  looking('faster', '-', 'shorter pauses between refreshes'),
  bind('Look', 'customer', 'c', ['browse', 'details', 'customer'], customerText, {
    word: 'customer',
    place: 5.2,
    when: hasCustomer,
  }),
  bind('Look', 'customer-refresh', 'R', oneCustomer, 'look again now', {word: 'refresh', place: 4}),
  bind('Look', 'follow', 'w', oneCustomer, 'follow: look again at each refresh, or end that', {
    word: 'follow',
    place: 2,
  }),
  bind('Look', 'copy-incident', 'y', oneCustomer, 'copy the incident as Markdown (OSC 52)', {
    word: 'copy report',
    place: 3,
  }),
  bind(
    'Look',
    'copy',
    'y',
    ['browse', 'details', 'run-details', 'guard-details'],
    'copy the group, key, run or script (OSC 52)',
  ),
  looking('export', 'e', 'export the findings to a file (CSV, JSON)', {
    views: lists,
    word: 'export',
    place: 10,
  }),

  viewing('view-overview', '1', 'Overview'),
  viewing('view-duplicates', '2', 'Duplicates'),
  viewing('view-null-ids', '3', 'Null IDs'),
  viewing('view-stale', '4', 'Stale'),
  viewing('view-devices', '5', 'Devices'),
  viewing('view-guards', '6', 'Guards'),
  bind('Views', 'view-guards', '6', ['results'], 'Guards', {
    word: 'guards',
    place: 1.5,
    useful: state => state.mode.name === 'results' && wantingOf(state, state.mode.result.check).length > 0,
  }),
  viewing('view-runs', '7', 'Runs'),
  bind('Views', 'view-runs', '7', ['results', 'guard-results'], 'Runs', {word: 'runs', place: 2}),
  viewing('next-view', 'tab', 'next view'),
  viewing('previous-view', 'shift+tab', 'previous view'),
  viewing('next-check', ']', 'next check here, then the next view'),
  viewing('previous-check', '[', 'previous check here, then the previous view'),

  bind('Program', 'palette', ':', open, 'find a command by its name'),
  bind('Program', 'write', ':write', open, 'lift read-only for 15 minutes; asks for the name'),
  bind('Program', 'readonly', ':readonly', open, 'end that early'),
  bind('Program', 'help', '?', [...open, 'details'], 'help', {word: 'help', place: 5}),
  bind('Program', 'back', 'esc', [...leaving, ...typing, ...buttons, ...closing], 'back one level', {
    word: 'back',
    place: 20,
  }),
  bind('Program', 'back', 'q', [...leaving, ...buttons, ...closing], 'back one level'),
  bind('Program', 'back', '?', ['help'], 'close the help'),
  bind('Program', 'clear', 'esc', browse, 'give up the range, then the filter; else nothing'),
  bind('Program', 'leave', 'q', browse, 'quit (asks when rows are marked)', {word: 'quit', place: 5.5}),
  bind('Program', 'suspend', 'ctrl+z', open, 'suspend the program; fg brings it back'),
  bind('Program', 'interrupt', 'ctrl+c', ['running'], 'quit at once; stop a run after its chunk', {
    word: 'stop after this chunk',
    place: 1,
  }),
  bind('Program', 'interrupt', 'ctrl+c', ['guard-running'], 'quit at once; stop an install after its step', {
    word: 'stop after this step',
    place: 1,
  }),

  bind('Dialogs', 'choose-up', 'up shift+tab', choosing, 'previous choice'),
  bind('Dialogs', 'choose-down', 'down tab', choosing, 'next choice'),
  bind('Dialogs', 'choose-up', 'k', ['menu', 'export'], 'previous choice'),
  bind('Dialogs', 'choose-down', 'j', ['menu', 'export'], 'next choice'),
  bind('Dialogs', 'choose', 'enter', choosing, 'take this choice (an action is only planned)', {
    word: 'choose',
    place: 1,
  }),
  bind('Dialogs', 'hidden', 'h', ['menu'], 'take marks that the filter hides too, or leave them'),
  bind('Dialogs', 'confirm', 'x', ['plan', 'guard-plan'], 'go on from the plan to its confirmation', {
    word: 'go on to the confirmation',
    place: 1,
    useful: ({readOnlyBy, mode}) => readOnlyBy === null && !isInTheWay(mode),
  }),
  bind(
    'Dialogs',
    'with-cleaning',
    'c',
    ['guard-plan'],
    'clean what is in the way in the same go, or leave it',
    {
      word: 'clean in the same go',
      place: 0.5,
      useful: ({mode}) => isInTheWay(mode),
    },
  ),
  bind('Dialogs', 'open-change', 'enter', ['plan'], 'the change under the cursor, in full', {
    word: 'in full',
    place: 2,
    useful: ({mode}) => mode.name === 'plan' && mode.plan.changes.length > 0,
  }),
  bind('Dialogs', 'focus-next', 'tab right down', buttons, 'next field or button', {word: 'move', place: 1}),
  bind('Dialogs', 'focus-previous', 'shift+tab left up', buttons, 'previous field or button'),
  bind('Dialogs', 'press', 'enter', buttons, 'press the focused button', {word: 'press it', place: 2}),
  bind('Dialogs', 'accept', 'enter', ['filter', 'prompt'], 'take what was typed', {word: 'done', place: 1}),
  bind('Dialogs', 'back', 'enter', closing, 'close', {word: 'close', place: 1}),
];
