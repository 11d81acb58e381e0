/** The verdict on a customer in a sentence. Pure: the screen, the command line and the incident tell the same. */
import {sanitise, shorten} from '../../sanitise.js';
import {shellWord} from '../../shell-word.js';
import {toText} from '../../values.js';
import {ageText, counted} from '../../words.js';
import type {Blocking, CustomerReport, Hindrance} from './report.js';

/** A command from its words, complete; the command line adds the configuration that it was called with. */
export type CommandText = (words: string[]) => string;

export const plainCommand: CommandText = words => ['sesstui', ...words].map(shellWord).join(' ');

/** Things told in a sentence: long enough to be told from each other. */
const short = (text: string): string => shorten(text, 80);
const mostTold = 3;

const joined = (items: string[], last = 'and'): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} ${last} ${items.at(-1)}`;

/** `session c354… in rides` */
const blockingName = ({what, id, store}: Blocking): string => `${what} ${short(toText(id))} in ${store}`;

/** `session c354… in rides: waiting for 42 minutes, no request` */
const blockingText = (item: Blocking): string => {
  const {status, ageSeconds, wrong} = item;
  const age = ageSeconds === null ? 'for an unknown time' : `for ${ageText(ageSeconds)}`;
  return `${blockingName(item)}: ${short(status)} ${age}${wrong.includes('orphaned') ? ', no request' : ''}`;
};

const told = <T>(items: T[], text: (item: T) => string, between: string): string =>
  [
    ...items.slice(0, mostTold).map(text),
    ...(items.length > mostTold ? [`${items.length - mostTold} more`] : []),
  ].join(between);

const wayOut = (blockedBy: Blocking[]): string => {
  const alive = blockedBy.filter(({stale}) => !stale);
  const unknown = alive.filter(({ageSeconds}) => ageSeconds === null);
  if (alive.length === 0) return `cancelling ${blockedBy.length === 1 ? 'it' : 'them'} unblocks`;
  const why =
    unknown.length === alive.length
      ? 'without a known age it is never cancelled: set its creation time, or cancel it by hand'
      : 'not stale, so nothing here cancels it';
  if (alive.length === blockedBy.length) return why;
  return `cancelling what is stale leaves ${told(alive, blockingName, ', ')} (${why})`;
};

const blockedText = ({blockedBy}: CustomerReport): string =>
  `blocked by ${told(blockedBy, blockingText, '; by ')}; ${wayOut(blockedBy)}`;

const hindranceText = ({text, command}: Hindrance, commandText: CommandText): string =>
  `${text}${command === null ? '' : `; \`${commandText(command)}\` mends it`}`;

/** `can't log in: …; … mends it`, one sentence for each thing that the customer can't do. */
const hindrancesText = (hindrances: Hindrance[], commandText: CommandText): string[] =>
  [...new Set(hindrances.map(({what}) => what))].map(what => {
    const own = hindrances.filter(item => item.what === what);
    return `${what}: ${told(own, item => hindranceText(item, commandText), '; ')}`;
  });

/** What could not be asked, or has not answered yet; the verdict holds without it only so far. */
const missing = ({errors, waiting}: CustomerReport): string => {
  const checks = [...new Set(errors.map(({check}) => sanitise(check)))];
  return [
    ...(checks.length > 0 ? [`${joined(checks)} could not be asked`] : []),
    ...(waiting.length > 0
      ? [`${joined(waiting.map(sanitise))} ${waiting.length === 1 ? 'has' : 'have'} not answered yet`]
      : []),
  ].join('; ');
};

/** The verdict without the customer's name, as the rest of a sentence about them. */
export const verdictOf = (report: CustomerReport, commandText: CommandText = plainCommand): string => {
  const {customer, blocked, sessions, findings, hindrances, cleaned, notes} = report;
  const rest = missing(report);
  const soFar = rest === '' ? '' : `; ${rest}`;
  const cannot = hindrancesText(hindrances, commandText);
  if (blocked) return `${[blockedText(report), ...cannot].join('. Also ')}${soFar}`;
  const is = `${cleaned > 0 ? 'free: nothing blocks any more' : 'not blocked'}${rest === '' ? '' : ', as far as is known'}`;
  if (cannot.length > 0) return `${is}, but ${cannot.join('. Also ')}${soFar}`;
  if (sessions.length === 0 && findings.length === 0) {
    if (notes.length > 0) return `nothing is told: ${notes[0]}${soFar}`;
    const stores = new Set(report.searched.map(text => text.slice(0, text.indexOf(':'))));
    const where = rest === '' ? 'in any store' : 'so far';
    return `nothing is known of ${short(customer)} ${where}; ${stores.size === 0 ? 'nothing' : joined([...stores].map(sanitise))} ${stores.size < 2 ? 'was' : 'were'} searched${soFar}`;
  }
  const stores = [...new Set(sessions.map(({store}) => store))];
  const wrong = [...new Set(findings.flatMap(({reasons}) => reasons))];
  const also = wrong.length > 0 ? `; wrong all the same: ${wrong.join(', ')}` : '';
  return `${is} (${counted(sessions.length, 'session')} in ${joined(stores)})${also}${soFar}`;
};
