/** One customer over all stores: the verdict, how it went, what was done, and the timeline of their sessions. */
import {Box} from 'ink';
import type {ReactElement} from 'react';
import {shorten} from '../source/sanitise.js';
import type {Customer} from '../source/state/customer.js';
import {keyText} from '../source/state/filter.js';
import type {ModeOf} from '../source/state/modes.js';
import type {CheckError} from '../source/types.js';
import type {CustomerReport, CustomerSession} from '../source/ui/customer.js';
import {moment, plural} from './format.js';
import {Lines} from './lines.js';
import {type Line, type Style, span, wrap} from './paint.js';
import {symbols} from './symbols.js';
import {TimelineTable} from './timeline.js';
import {noteLines, upTo} from './told.js';
import type {ViewProps} from './view.js';

/** A text after a sign, its further lines under its first. */
const signed = (sign: string, text: string, style: Style, width: number): Line[] =>
  wrap(text, width - 4).map((line, index): Line => [span(`${index === 0 ? sign : ' '} ${line}`, style)]);

/** What went wrong and what to do, as sentences. */
const errorText = ({message, hint}: CheckError): string => `${message.replace(/\.+$/, '')}. ${hint}`.trim();

/** How the verdict looks: its sign tells as much as its colour. */
const lookOf = (customer: Customer, report: CustomerReport): {sign: string; style: Style} => {
  if (report.blocked) return {sign: symbols.bad, style: 'bad'};
  if (customer.answeredAt === null) return {sign: symbols.pending, style: 'dim'};
  if (report.hindrances.length > 0 || report.errors.length > 0) return {sign: symbols.warning, style: 'warn'};
  return report.sessions.length === 0 ? {sign: '?', style: 'warn'} : {sign: symbols.good, style: 'good'};
};

/** The verdict in colour and words. */
export const verdictLines = (customer: Customer, width: number): Line[] => {
  const {report, error, id} = customer;
  const failed = error ? signed(symbols.bad, errorText(error), 'bad', width) : [];
  if (report === null) return error ? failed : [[span('Looking in all stores…', 'dim')]];
  const {sign, style} = lookOf(customer, report);
  const verdict = report.verdict || 'nothing found yet';
  return [...signed(sign, `${shorten(id, 60)}: ${verdict}`, style, width), ...failed];
};

const soFar = ', as far as is known';

/** The first clause of a verdict, which promises no more than the whole does. */
export const clauseOf = (text: string): string => {
  const clause = text.split(/[:;]/)[0]!;
  return text.includes(soFar) && !clause.includes(soFar) ? `${clause}${soFar}` : clause;
};

/** How the verdict went: the last few, each in its first clause. */
const toldLines = ({told}: Customer): Line[] => {
  if (told.length < 2) return [];
  const last = told.slice(-3);
  const before = told.length - last.length;
  return [
    [span(`How it went (UTC)${before > 0 ? `, ${plural(before, 'change')} before` : ''}:`, 'dim')],
    ...last.map(({at, text, blocked}): Line => {
      const time = new Date(at).toISOString().slice(11, 19);
      return [
        `  ${time}  `,
        span(`${blocked ? symbols.bad : symbols.good} ${clauseOf(text)}`, blocked ? 'bad' : 'plain'),
      ];
    }),
  ];
};

const doneLines = ({done}: Customer, width: number): Line[] =>
  done.slice(-3).flatMap(({run, applied, planned, action, check}): Line[] => {
    const whole = applied === planned;
    const made = `${action} on ${check}: ${applied} of ${plural(planned, 'change')} made`;
    const back = run === null ? '' : `; 7 and then u takes run ${run} back`;
    return signed(whole ? symbols.good : symbols.warning, `${made}${back}`, whole ? 'good' : 'warn', width);
  });

const errorLines = ({errors}: CustomerReport, width: number): Line[] =>
  errors.flatMap(({check, error}) =>
    upTo(signed(symbols.bad, `${check}: ${errorText(error)}`, 'bad', width), 2),
  );

const searchedLines = ({report, answeredAt}: Customer, width: number): Line[] =>
  !report || answeredAt === null || report.sessions.length > 0 || report.searched.length === 0
    ? []
    : [
        [],
        ['Is it whole? Ids are looked for as they are, emails in any case. c asks again.'],
        [],
        ['Looked in:'],
        ...report.searched.flatMap(place =>
          wrap(place, width - 4).map((text): Line => [span(`  ${text}`, 'dim')]),
        ),
      ];

/** The session under the cursor, whole: on a narrow screen its row is not. */
const sessionLines = (session: CustomerSession | undefined, width: number): Line[] => {
  if (!session) return [];
  const {store, table, key, status, at, wrong, blocks} = session;
  const began = at === null ? 'nobody knows since when' : `began ${moment(at)}`;
  const text = `${store} ${table} ${keyText(key)}: ${status === null ? '' : `${status}, `}${began}`;
  const faults = [blocks ? 'blocks' : '', ...wrong].filter(Boolean).join(', ');
  return [
    ...upTo(
      wrap(text, width).map((line): Line => [line]),
      2,
    ),
    [span(faults || 'nothing wrong', blocks ? 'bad' : faults ? 'warn' : 'dim')],
  ];
};

const promptLines = (mode: ModeOf<'prompt'>): Line[] => [
  [span('Everything about one customer', 'bold')],
  ['An email in any case, a customer id, account id, session id or device:'],
  [],
  [span('  > ', 'accent'), mode.text === '' ? span(mode.offered, 'dim') : mode.text, span('_', 'accent')],
  [],
  mode.text === '' && mode.offered !== ''
    ? [span('  Enter takes the one of the row under the cursor; or type another.', 'dim')]
    : [],
];

/** As many lines as there is room for; none where there is none. */
const fitting = (lines: Line[], room: number): Line[] => (room < 1 ? [] : upTo(lines, room));

/** At least this many sessions are to be seen, whatever there is to tell besides the verdict. */
const LEAST_ROWS = 3;
/** On a body that is lower than this the session under the cursor is not told apart. */
const LEAST_HEIGHT = 14;

export const CustomerView = ({state, width, height}: ViewProps): ReactElement | null => {
  const {mode, color, customer} = state;
  if (mode.name === 'prompt') return <Lines lines={promptLines(mode)} width={width} color={color} />;
  if (mode.name !== 'customer' || customer === null) return null;
  const sessions = customer.report?.sessions ?? [];
  const below = height < LEAST_HEIGHT ? [] : sessionLines(sessions[customer.cursor.index], width);
  const least = sessions.length === 0 ? 0 : 3 + Math.min(LEAST_ROWS, sessions.length) + below.length;
  const verdict = upTo(verdictLines(customer, width), Math.max(3, Math.floor(height / 3)));
  const rest = [
    ...(customer.report ? errorLines(customer.report, width) : []),
    ...doneLines(customer, width),
    ...toldLines(customer),
    ...noteLines(customer.report?.notes ?? [], width),
    ...searchedLines(customer, width),
  ];
  const lines = [...verdict, ...fitting(rest, height - least - verdict.length)];
  const room = height - lines.length - below.length - 3;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Lines lines={lines} width={width} color={color} />
      {sessions.length > 0 && (
        <TimelineTable customer={customer} now={state.now} room={room} width={width} color={color} />
      )}
      <Lines lines={below} width={width} color={color} />
    </Box>
  );
};
