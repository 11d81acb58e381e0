/**
 * Which of the rows that were found are the customer's, and what else the customer is known as. Pure: told anew from
 * all rows each time a store has answered, so that the order of the answers makes no difference.
 *
 * A customer's id, account or email is followed to what else stands beside it; a row's own id only when it is what was
 * typed, and nobody's when it is several customers'. What several customers share leads nowhere.
 */

import type {IdentityColumn} from '../../checks/check.js';
import {normalise} from '../../evaluate.js';
import {shorten} from '../../sanitise.js';
import type {Hit, Named} from './search.js';

type Names = IdentityColumn['names'];

export type Resolved = {
  /** Ids and emails of the customer, besides what was typed. */
  known: string[];
  /** Rows that a row of theirs refers to, by source. */
  links: Map<string, string[]>;
  theirs: Hit[];
  /** A short id was typed that is a row's: in a store that was not asked it may be another customer's own. */
  guessed: boolean;
  notes: string[];
};

/** A value that leads to more ids than this in one table is shared by customers, not one customer's. */
const mostOthers = 5;
/** How far ids are followed, and how many there may be. */
const mostSteps = 4;
const mostKnown = 30;

const short = (text: string): string => shorten(text, 100);

const holdsValue = ({text, isEmail, from}: Named, value: string): boolean =>
  text === (isEmail ? normalise(value) : value) || from?.(value) === text;

const isNamed = ({named}: Hit, value: string, names: Names): boolean =>
  named.some(item => item.names === names && holdsValue(item, value));

/** The customer's ids in a row. */
const ownersOf = ({named}: Hit): string[] =>
  named.filter(({names, follows}) => names === 'customer' && follows).map(({text}) => text);

const grouped = (hits: Hit[], keyOf: (hit: Hit) => string): Hit[][] => {
  const groups = new Map<string, Hit[]>();
  for (const hit of hits) groups.set(keyOf(hit), [...(groups.get(keyOf(hit)) ?? []), hit]);
  return [...groups.values()];
};

const byTable = (hits: Hit[]): Hit[][] => grouped(hits, ({source, table}) => `${source} ${table}`);

const whose = (hit: Hit): string => ownersOf(hit).join(' ');

/** An id that is this long is random: the same one in two stores is the same customer's. A short one may be a number. */
const longEnough = 16;

/** What was typed is no customer's id: the owners of the rows whose id it is, where that is one customer. */
const ownersOfTyped = (typed: string, hits: Hit[], notes: string[]): string[] => {
  const rows = hits.filter(hit => isNamed(hit, typed, 'row'));
  // The row itself says whose it is; only where there is none, or it doesn't say, what refers to it does.
  const told = new Set(rows.filter(hit => whose(hit) !== '').map(({source}) => source));
  const linking = hits.filter(hit => isNamed(hit, typed, 'link') && !told.has(hit.source));
  const found = [...rows, ...linking].filter(hit => whose(hit) !== '');
  const sources = typed.length < longEnough ? [found] : grouped(found, ({source}) => source);
  return sources.flatMap(some => {
    const owners = [...new Set(some.map(whose))];
    if (owners.length <= 1) return some.flatMap(ownersOf);
    notes.push(
      `${short(typed)} is the id of rows of ${owners.length} customers (${owners.slice(0, 5).map(short).join(', ')}): ask for one of them`,
    );
    return [];
  });
};

/** `foreign`: other customers' ids that what is known leads to. */
type Followed = {known: string[]; foreign: Set<string>};

/** One email in two spellings is one id; any other difference is another customer. */
const isSameId = (a: string, b: string): boolean =>
  a === b || (a.includes('@') && normalise(a) === normalise(b));

const idsOf = (rows: Hit[]): Named[] =>
  rows.flatMap(({named}) =>
    named.filter(({names, follows, isEmail}) => names === 'customer' && follows && !isEmail),
  );

/** The ids of one column, where there are several: who asks for an email of two customers is told so. */
const severalOf = (rows: Hit[]): string[] => {
  const ids = idsOf(rows);
  const texts = ids.map(({column}) => [
    ...new Set(ids.filter(item => item.column === column).map(({text}) => text)),
  ]);
  return texts.find(([first, ...more]) => more.some(text => !isSameId(first!, text))) ?? [];
};

/**
 * Ids that stand beside a value in a column where the customer has another id already: two customers may share an
 * email, and asking for one of them must not cancel what is the other's.
 */
const othersOf = (rows: Hit[], isOwn: (text: string) => boolean): string[] => {
  const ids = idsOf(rows);
  const taken = new Set(ids.filter(({text}) => isOwn(text)).map(({column}) => column));
  return [
    ...new Set(ids.filter(({column, text}) => taken.has(column) && !isOwn(text)).map(({text}) => text)),
  ];
};

/** Everything that the customer is known as, from these values on; what is shared is left out and noted. */
const followed = (typed: string, first: string[], hits: Hit[], notes: string[]): Followed => {
  const foreign = new Set<string>();
  // An id that turns out to be somebody else's is followed nowhere, wherever it was met first: then all is told anew.
  for (;;) {
    const {size} = foreign;
    const said: string[] = [];
    const known = followedWithout(typed, first, hits, {notes: said, foreign});
    if (foreign.size > size) continue;
    notes.push(...said);
    return {known, foreign};
  }
};

const followedWithout = (
  typed: string,
  first: string[],
  hits: Hit[],
  {notes, foreign}: {notes: string[]; foreign: Set<string>},
): string[] => {
  const known = new Map<string, number>([...new Set([typed, ...first])].map(value => [value, 0]));
  const shared = new Set<string>();
  for (const [value, steps] of known) {
    for (const rows of byTable(hits.filter(hit => isNamed(hit, value, 'customer')))) {
      const others = new Set(
        rows.flatMap(ownersOf).filter(owner => owner !== value && owner !== normalise(value)),
      );
      const where = `in ${rows[0]!.source} ${rows[0]!.table}`;
      if (others.size > mostOthers) {
        shared.add(value);
        notes.push(
          `${short(value)} stands beside ${others.size} or more other ids ${where}: taken as shared, it is not followed`,
        );
        continue;
      }
      const before = [...known].filter(([, at]) => at <= steps).map(([text]) => text);
      const theirs = othersOf(rows, text => before.some(own => isSameId(own, text)));
      for (const other of theirs) foreign.add(other);
      if (theirs.length > 0)
        notes.push(
          `${short(value)} also stands beside ${theirs.map(short).join(', ')} ${where}: another customer's, left out`,
        );
      else if (severalOf(rows).length > 0)
        notes.push(
          `${short(value)} stands beside several ids ${where}: ${severalOf(rows).map(short).join(', ')}; everything of them is told, ask for one of them to tell them apart`,
        );
      if (steps >= mostSteps) continue;
      for (const other of others)
        if (!known.has(other) && !foreign.has(other) && known.size < mostKnown) known.set(other, steps + 1);
    }
  }
  return [...known.keys()].filter(value => value === typed || !shared.has(value));
};

const isTheirs = (hit: Hit, {known, foreign}: Followed): boolean =>
  known.some(value => isNamed(hit, value, 'customer')) && !ownersOf(hit).some(owner => foreign.has(owner));

/** Rows that hold what was typed in a column that is not a customer's: theirs, unless they are somebody else's. */
const besides = (typed: string, hits: Hit[], who: Followed, isCustomer: boolean, notes: string[]): Hit[] => {
  const others = hits.filter(hit => !isTheirs(hit, who));
  const own = others.filter(hit => isNamed(hit, typed, 'row') || isNamed(hit, typed, 'link'));
  const foreign = own.filter(hit => whose(hit) !== '');
  if (isCustomer || who.known.length > 1)
    for (const [first] of byTable(foreign))
      notes.push(
        `${short(typed)} also stands in ${first!.source} ${first!.table} in a row of ${short(whose(first!))}: left out`,
      );
  const shared = others.filter(hit => !own.includes(hit) && isNamed(hit, typed, 'shared'));
  for (const [first] of byTable(shared))
    notes.push(
      `${short(typed)} may be shared by customers in ${first!.source}: the rows with it are shown, and nobody's others`,
    );
  return [...own.filter(hit => !foreign.includes(hit)), ...(isCustomer ? [] : shared)];
};

/** Rows that theirs refer to: theirs too, unless they are somebody else's. */
const linked = (theirs: Hit[], hits: Hit[], notes: string[]): {more: Hit[]; links: Map<string, string[]>} => {
  const links = new Map<string, string[]>();
  const more: Hit[] = [];
  const have = new Set(theirs);
  for (const hit of theirs)
    for (const {text, follows} of hit.named.filter(({names}) => names === 'link')) {
      links.set(hit.source, [...(links.get(hit.source) ?? []), text]);
      for (const other of hits) {
        if (other.source !== hit.source || have.has(other) || !isNamed(other, text, 'row')) continue;
        have.add(other);
        if (whose(other) === '') more.push(other);
        else
          notes.push(
            `${follows ? short(text) : 'A row'}, which a row of theirs in ${hit.source} refers to, belongs to ${short(whose(other))}: left out`,
          );
      }
    }
  return {more, links};
};

/** What `hits` say about the one who was asked for. */
export const resolve = (typed: string, hits: Hit[]): Resolved => {
  const notes: string[] = [];
  const isCustomer = hits.some(hit => isNamed(hit, typed, 'customer'));
  const first = isCustomer ? [] : ownersOfTyped(typed, hits, notes);
  const who = followed(typed, first, hits, notes);
  const {known} = who;
  const own = [...hits.filter(hit => isTheirs(hit, who)), ...besides(typed, hits, who, isCustomer, notes)];
  const {more, links} = linked(own, hits, notes);
  return {
    known: known.filter(value => value !== typed && value !== normalise(typed)),
    links,
    theirs: [...own, ...more],
    guessed: first.length > 0 && typed.length < longEnough,
    notes: [...new Set(notes)],
  };
};
