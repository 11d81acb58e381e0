/** The whole screen, and the one place where input comes in. */
import {Box, useInput} from 'ink';
import {type ReactElement, useMemo, useRef, useSyncExternalStore} from 'react';
import {createInputReader} from '../source/state/keys.js';
import {bodyHeight, isTooSmall, MIN_COLUMNS, MIN_ROWS} from '../source/state/layout.js';
import type {Message} from '../source/state/messages.js';
import type {Mode} from '../source/state/modes.js';
import type {State} from '../source/state/state.js';
import {ChangeView} from './change.js';
import {ConfirmView, UnlockView} from './confirm.js';
import {CustomerView} from './customer.js';
import {DetailsView} from './details.js';
import {ExportView, MenuView, PaletteView, QuitView} from './dialogs.js';
import {FindingsView} from './findings.js';
import {Foot} from './foot.js';
import {GuardConfirmView} from './guard-confirm.js';
import {GuardDetailsView} from './guard-details.js';
import {GuardPlanningView, GuardPlanView} from './guard-plan.js';
import {GuardResultsView, GuardRunningView} from './guard-run.js';
import {GuardsView} from './guards.js';
import {Head} from './head.js';
import {HelpView} from './help.js';
import {Lines} from './lines.js';
import {FailureView, PlanningView, PlanView, RunningView} from './outcome.js';
import {OverviewView} from './overview.js';
import {ResultsView} from './results.js';
import {RunDetailsView, RunsView} from './runs.js';
import type {ViewProps} from './view.js';

type View = (props: ViewProps) => ReactElement | null;

const BrowseView: View = props => {
  if (props.state.view === 'overview') return <OverviewView {...props} />;
  if (props.state.view === 'guards') return <GuardsView {...props} />;
  return props.state.view === 'runs' ? <RunsView {...props} /> : <FindingsView {...props} />;
};

const views: Record<Mode['name'], View> = {
  browse: BrowseView,
  filter: BrowseView,
  details: DetailsView,
  'run-details': RunDetailsView,
  palette: PaletteView,
  prompt: CustomerView,
  customer: CustomerView,
  export: ExportView,
  menu: MenuView,
  planning: PlanningView,
  plan: PlanView,
  change: ChangeView,
  confirm: ConfirmView,
  unlock: UnlockView,
  running: RunningView,
  results: ResultsView,
  'guard-details': GuardDetailsView,
  'guard-planning': GuardPlanningView,
  'guard-plan': GuardPlanView,
  'guard-confirm': GuardConfirmView,
  'guard-running': GuardRunningView,
  'guard-results': GuardResultsView,
  failure: FailureView,
  help: HelpView,
  quit: QuitView,
};

const TooSmall = ({state}: {state: State}): ReactElement => {
  const {columns, rows} = state.size;
  const lines = [
    [`This terminal is ${columns}×${rows}.`],
    [`sesstui needs ${MIN_COLUMNS}×${MIN_ROWS} at least.`],
    ['Make it larger, or q quits.'],
  ];
  return <Lines lines={lines.slice(0, rows)} width={columns} color={state.color} />;
};

/** A state as a frame of exactly its size. */
export const Screen = ({state}: {state: State}): ReactElement => {
  const {columns, rows} = state.size;
  if (isTooSmall(state)) return <TooSmall state={state} />;
  const View = views[state.mode.name];
  const height = bodyHeight(state);
  return (
    <Box flexDirection="column" width={columns} height={rows} overflowY="hidden">
      <Head state={state} width={columns} />
      <Box height={height} flexShrink={0} flexDirection="column" overflowY="hidden">
        <View state={state} width={columns} height={height} />
      </Box>
      <Foot state={state} width={columns} />
    </Box>
  );
};

/** What holds the state and takes messages: source/ui.ts, or a test. */
export type Store = {
  get(): State;
  subscribe(listener: () => void): () => void;
  send(message: Message): void;
};

/** The one `useInput` of the program: every key becomes a message, in order, to the state as it is by then. */
export const App = ({store}: {store: Store}): ReactElement => {
  const state = useSyncExternalStore(store.subscribe, store.get);
  const read = useMemo(createInputReader, []);
  /** Something was read in this turn of the event loop already. */
  const reading = useRef(false);
  useInput((input, key) => {
    const taken = read(input, key);
    const together = reading.current || !('keys' in taken) || taken.keys.length > 1;
    reading.current = true;
    setImmediate(() => {
      reading.current = false;
    });
    if ('paste' in taken) store.send({type: 'paste', text: taken.paste});
    else for (const name of taken.keys) store.send({type: 'key', key: name, together});
  });
  return <Screen state={state} />;
};
