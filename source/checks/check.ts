/**
 * What a check is. A check never asks which store it runs on: it says what it looks for in query forms, judges
 * what comes back, and turns findings into changes. Its file holds everything about it; `index.ts` lists them.
 */

import type {CheckConfig} from '../config/schema.js';
import type {Connector, Found, Identity, KeepRule, Row, TableShape, Unit} from '../connector.js';
import {exprValue} from '../evaluate.js';
import type {Expr, Form, Groups, Pred, Rows, Scalar, Tally} from '../forms.js';
import type {Guard} from '../guards.js';
import type {ActionMeta, CheckKind, ReasonMeta, Verdict} from '../types.js';
import type {Value} from '../values.js';
import {ageText} from '../words.js';

/** Table shapes by the name that the configuration gives; what a check may rely on being there. */
export type Shapes = Record<string, TableShape>;

/** A finding before it is told to people: the rows with what the rule thinks of each. */
export type Judged = {
  reasons: string[];
  group: Value[];
  /** The moment its age counts from, microseconds; null where it has none. */
  since: number | null;
  rows: {row: Row; verdict: Verdict; why: string}[];
  byHand?: boolean;
  /** Index of the row that the default action keeps. */
  keeper?: number;
};

/** One question of a check: a form, and how to judge what it finds. Reasons are the form's tags or having names. */
export type Part = {
  name: string;
  form: Form;
  /** What `--group` is compared with. */
  group: Expr[];
  judge: (found: Found, now: number) => Judged;
};

/** A finding that an action is to deal with, and what the user chose about it. */
export type Task = {part: Part; found: Found; judged: Judged; reasons: string[]; keeper: Identity | null};

export type PlanContext<C> = {
  config: C;
  shapes: Shapes;
  now: number;
  /** Rows of another table by an attribute's values, in full. */
  lookup: (
    table: string,
    attribute: string,
    values: Scalar[],
    show: string[],
    where?: Pred,
  ) => Promise<Row[]>;
  note: (text: string) => void;
  /** 16 bytes for a row's new id: random, and the same again when a reviewed plan is made anew to be applied. */
  idBytes: (table: string, identity: Identity) => Buffer;
  /** Counts under a heading that becomes one note: `12 accounts are left without a session`. */
  tally: (what: string, count: number) => void;
};

/** A column by which a customer is found. */
export type IdentityColumn = {
  of: Expr;
  /**
   * Whose value it is. `customer`: the customer's (id, account, email, device): every row with it is theirs.
   * `row`: the row's own id. `link`: the id of a row of another table. `shared`: several customers may have it (a
   * stream), so a row with it says nothing about whose it is.
   */
  names: 'customer' | 'row' | 'link' | 'shared';
  /** What an id that was typed would be in this column, where that is another (a canonical id's account). */
  from?: (typed: string) => string | null;
  /** Not configured but guessed by its name: looked into only for what looks like an email. */
  guessed?: boolean;
  /** The same column in another reading, for an email that was typed in another case. */
  again?: boolean;
};

/** A table in which customers are found; `sessions` is false where its rows only refer to sessions (accounts). */
export type Identities = {
  table: string;
  sessions: boolean;
  where: IdentityColumn[];
  form: (match: Pred) => Rows;
};

/** What a reason keeps a customer from, and the action that mends it with what it is narrowed by. */
export type Hinders = {
  /** The rest of a sentence about the customer: `can't log in`. */
  what: string;
  text: string;
  action: string | null;
  by: 'customer' | 'group' | 'id';
};

export type Check<C extends CheckConfig = CheckConfig> = {
  kind: CheckKind;
  /** What is good when it finds nothing; for the empty screen. */
  healthy: (config: C) => string;
  /** What it looks for, in a sentence. */
  text: string;
  reasons: ReasonMeta[];
  actions: ActionMeta[];
  /** The main table, and the columns worth a place on the screen. */
  table: (config: C) => string;
  columns: (config: C, shapes: Shapes) => string[];
  /** Tables and columns that have to be there. */
  needs: (config: C) => {table: string; columns: string[]}[];
  parts: (config: C, shapes: Shapes) => Part[];
  /** Every session it knows, healthy ones too (Devices), and what `--id` of its by-hand actions chooses from. */
  sessions?: (config: C, shapes: Shapes) => Part;
  /** Why the check can't work on these tables; undefined when it can. */
  refuse?: (config: C, shapes: Shapes) => string | undefined;
  /** The actions that the configuration makes possible. */
  offered: (config: C) => ActionMeta[];
  /** Does an action that the finding's reasons offer make sense for it? */
  applies?: (action: string, judged: Judged) => boolean;
  /** Changes of an action for a batch of findings. */
  plan: (action: string, tasks: Task[], context: PlanContext<C>) => AsyncIterable<Unit>;
  /** Where a customer's id, email or session id may stand. */
  identities: (config: C, shapes: Shapes) => Identities[];
  /** The moment a row of `identities` began, microseconds; null where it has none that is finite. */
  since: (config: C, row: Row) => number | null;
  /** Reasons that keep a customer out though no session blocks. */
  hinders?: Record<string, Hinders>;
  /** Does this row keep its customer from buying or logging in? `since` is microseconds, null where unknown. */
  blocks?: (
    config: C,
    row: Row,
    now: number,
  ) => {
    id: Value;
    what: 'session' | 'request';
    status: string;
    since: number | null;
    stale: boolean;
  } | null;
  /** The row's status, or its kind where its table has no status. */
  statusOf?: (config: C, row: Row) => string | null;
  /** Whose row it is: the customer, account or email that the row belongs to. */
  customerOf: (config: C, row: Row) => Value;
  /** The customers whom something stale keeps from buying: a group each. */
  blocked?: (config: C) => Groups;
  /** What keeps its findings from coming back, in the order in which they are installed. */
  guards: (config: C, shapes: Shapes) => Guard[];
  /** Statistics of the health report. */
  tallies?: (config: C) => Record<'sessions' | 'requests', Tally>;
};

/**
 * Columns that hold an email by their name. Where a store has no schema only those that lead an index: a guess is not
 * worth reading a whole collection.
 */
export const guessedEmails = (shape: TableShape | undefined): IdentityColumn[] => {
  const names =
    shape?.columns?.map(({name}) => name) ??
    shape?.indexes.flatMap(({attributes}) => attributes.slice(0, 1)) ??
    [];
  return [...new Set(names)]
    .filter(isEmailName)
    .map(norm => ({of: {norm}, names: 'customer', guessed: true}));
};

/** The customer's column, which some applications fill with emails: these in any case. */
export const customerColumns = (attr: string, from?: IdentityColumn['from']): IdentityColumn[] => [
  {of: {attr}, names: 'customer', from},
  {of: {norm: attr}, names: 'customer', again: true},
];

const isEmailName = (name: string): boolean =>
  /(?:^|[^a-z])e[-_]?mail(?:[-_]?address)?$/i.test(name) || /[a-z]E[-_]?mail(?:Address)?$/.test(name);

/** The first readable moment of these columns, microseconds; null where there is none or it is infinite. */
export const momentOf = (row: Row, columns: string[], zone: string): number | null => {
  const micros = exprValue({instant: columns, zone}, row.values);
  return typeof micros === 'number' && Number.isFinite(micros) ? micros : null;
};

/** How the keeper of a group is chosen; shared with the runner, which chooses again under the lock. */
export type {KeepRule};
export type Reader = Pick<Connector, 'read'>;

/** Union of what the reasons' meta offer, in the order of the reasons; without repetition. */
export const actionsOfReasons = (reasons: ReasonMeta[], names: string[]): string[] => [
  ...new Set(names.flatMap(name => reasons.find(reason => reason.name === name)?.actions ?? [])),
];

/** The age of a moment in words: `42 minutes`; both in microseconds since 1970. */
export const ageOfMoment = (micros: number, now: number): string => ageText(Math.floor((now - micros) / 1e6));
