/**
 * A customer's story as Markdown, to be pasted into the incident. Pure. What came from a store is sanitised and
 * escaped: it neither formats the document, nor links anywhere, nor names anybody.
 */
import type {CustomerReport, CustomerSession} from './engine/customer/report.js';
import {plainCommand, verdictOf} from './engine/customer/verdict.js';
import {clip, sanitise} from './sanitise.js';
import type {RunResult} from './types.js';
import {spacedValues, toText} from './values.js';
import {ageText, counted, notMade} from './words.js';

export type IncidentOptions = {
  /** What was known before the runs; without it only the verdict of `report` is told. */
  before?: CustomerReport;
  /** The command that takes a run back; default `sesstui undo RUN --yes`. */
  undo?: (run: RunResult) => string;
};

const longestValue = 200;
const mostSessions = 100;
const mostChanges = 20;

/**
 * Text as itself in Markdown (CommonMark and GitHub's): punctuation escaped, and no mention or address of its own. A
 * sentence of ours may be longer than a value.
 */
const plainLong = (text: string): string =>
  sanitise(text)
    .replaceAll(/[\\`*_{}[\]<>|~$^]|^[#+=-]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//')
    .replaceAll(/(www)\./gi, '$1&#46;')
    .replaceAll(/^(\d+)\./g, '$1\\.');

const plain = (text: string): string => plainLong(clip(text, longestValue));

/** A command that can be copied whole: in a block of its own, fenced with more backquotes than it holds. */
const block = (text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}sh\n${sanitise(text)}\n${fence}`;
};

const row = (cells: string[]): string => `| ${cells.join(' | ')} |`;

const age = (seconds: number | null): string => (seconds === null ? '' : ageText(seconds));

const sessionRow = ({at, ageSeconds, store, table, status, key, wrong, blocks}: CustomerSession): string =>
  row(
    [
      at ?? '',
      age(ageSeconds),
      store,
      table,
      status ?? '',
      spacedValues(key),
      wrong.join(', '),
      blocks ? 'yes' : '',
    ].map(plain),
  );

const timeline = ({sessions}: CustomerReport): string[] =>
  sessions.length === 0
    ? []
    : [
        '### Sessions',
        '',
        row(['Began', 'Age', 'Store', 'Table', 'Status', 'Key', 'Wrong', 'Blocks']),
        row(new Array(8).fill('---')),
        ...sessions.slice(0, mostSessions).map(sessionRow),
        ...(sessions.length > mostSessions
          ? ['', `${sessions.length - mostSessions} more are not told.`]
          : []),
        '',
      ];

const changeLine = ({
  result,
  op,
  table,
  key,
  before,
  after,
  why,
  error,
}: RunResult['changes'][number]): string => {
  const names = Object.keys(after ?? {}).filter(
    name => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]),
  );
  const texts = names.map(
    name =>
      `${name}: ${toText(before?.[name] ?? null) || 'nothing'} → ${toText(after?.[name] ?? null) || 'nothing'}`,
  );
  const details = [...texts, ...(why === undefined ? [] : [why]), ...(error === undefined ? [] : [error])];
  return `  - ${plain(`${result}: ${op} ${table} ${spacedValues(key)}`)}${details.length > 0 ? ` (${details.map(plain).join('; ')})` : ''}`;
};

const runLines = (run: RunResult, undo: (run: RunResult) => string): string[] => {
  const {check, action, planned, applied, changes} = run;
  const counts = [`${applied} of ${counted(planned, 'row')} changed`, ...notMade(run)];
  const head = run.dryRun
    ? `- Planned only: ${plain(check)} ${plain(action)}, ${counted(planned, 'row')}`
    : `- Run ${plain(run.run ?? 'none')}: ${plain(check)} ${plain(action)}, ${counts.join(', ')}${run.interrupted ? ', interrupted' : ''}`;
  return [
    head,
    ...changes.slice(0, mostChanges).map(changeLine),
    ...(changes.length > mostChanges ? [`  - and ${changes.length - mostChanges} more`] : []),
    ...(run.run === null || run.dryRun ? [] : ['', 'It is taken back with:', '', block(undo(run)), '']),
  ];
};

/** What stands for a command in a verdict: sanitised text has no control characters, so nothing from a store is one. */
const commandMark = '\0';

/** A code span that ends where it should, whatever stands in it. */
const codeSpan = (text: string): string => {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `\`${text}\`` : `${fence} ${text} ${fence}`;
};

/** A verdict as Markdown; its commands stay what they are. */
const verdictText = (report: CustomerReport): string => {
  const commands: string[] = [];
  const verdict = verdictOf(report, words => {
    commands.push(plainCommand(words));
    return commandMark;
  });
  return verdict
    .split(`\`${commandMark}\``)
    .map((part, index) => `${index === 0 ? '' : codeSpan(sanitise(commands[index - 1]!))}${plainLong(part)}`)
    .join('');
};

/** One Markdown document: verdict before and after, the timeline, what was done and how it is taken back. */
export const incidentMarkdown = (
  report: CustomerReport,
  runs: RunResult[] = [],
  {before, undo = ({run}) => `sesstui undo ${run} --yes`}: IncidentOptions = {},
): string =>
  [
    `## Customer ${plain(report.customer)}`,
    '',
    `Environment: ${plain(report.environment)}  `,
    `Time: ${plain(report.at)}`,
    ...(report.known.length > 0 ? ['', `Also known as: ${report.known.map(plain).join(', ')}`] : []),
    '',
    ...(before
      ? [`**Before:** ${verdictText(before)}`, '', `**After:** ${verdictText(report)}`]
      : [`**Verdict:** ${verdictText(report)}`]),
    '',
    ...timeline(report),
    ...(runs.length > 0 ? ['### What was done', '', ...runs.flatMap(run => runLines(run, undo)), ''] : []),
    ...(report.notes.length + report.errors.length > 0
      ? [
          '### Not told',
          '',
          ...report.notes.map(note => `- ${plainLong(note)}`),
          ...report.errors.map(({check, error}) => `- ${plain(check)}: ${plainLong(error.message)}`),
          '',
        ]
      : []),
  ].join('\n');
