/** Which rows a list shows, in which order: live rows and ghosts, filtered and sorted over what is loaded. */
import type {Finding} from '../types.js';
import {matches} from './filter.js';
import {type Ghost, type List, loadedItems, PAGE_SIZE} from './lists.js';
import {comparer} from './sort.js';

export type ShownRow = {kind: 'finding'; finding: Finding; gone: boolean} | {kind: 'pending'};

export type Shown = {
  count: number;
  /** The row at a place on the list; `pending` where its page has not come. */
  at(index: number): ShownRow;
  /** The place of a finding; -1 if it isn't shown or not loaded. */
  indexOf(id: string): number;
  /** Rows that are loaded: what a filter or sort could look at. */
  loaded: number;
};

const pending: ShownRow = {kind: 'pending'};
const cache = new WeakMap<List, Shown>();

/** The rows of a list. Kept for as long as the list object is, since lists never change in place. */
export const shown = (list: List): Shown => {
  const known = cache.get(list);
  if (known) return known;
  const made = list.filter !== '' || list.sort !== null ? arranged(list) : inOrder(list);
  cache.set(list, made);
  return made;
};

const rowOf = (finding: Finding, gone: boolean): ShownRow => ({kind: 'finding', finding, gone});

/** Filtered or sorted: only what is loaded can be compared. */
const arranged = (list: List): Shown => {
  const loaded = loadedItems(list);
  const rows = [
    ...loaded.map(item => ({finding: item.finding, gone: false})),
    ...list.ghosts.map(ghost => ({finding: ghost.finding, gone: ghost.gone})),
  ].filter(row => matches(row.finding, list.filter));
  if (list.sort !== null) {
    const compare = comparer(list.sort);
    rows.sort((a, b) => (list.reversed ? compare(b.finding, a.finding) : compare(a.finding, b.finding)));
  }
  const places = new Map(rows.map((row, index) => [row.finding.id, index]));
  return {
    count: rows.length,
    at: index => {
      const row = rows[index];
      return row ? rowOf(row.finding, row.gone) : pending;
    },
    indexOf: id => places.get(id) ?? -1,
    loaded: loaded.length,
  };
};

/** How many of the sorted places come before this one. */
const countBefore = (places: readonly number[], index: number): number => {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle]! < index) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The check's own order: a window over all rows, so a million of them cost what one page costs. */
const inOrder = (list: List): Shown => {
  const ghosts: Ghost[] = [...list.ghosts].sort((a, b) => a.at - b.at);
  const places = ghosts.map((ghost, position) => ghost.at + position);
  const live = new Map(loadedItems(list).map(item => [item.finding.id, item.index]));
  return {
    count: (list.total ?? 0) + ghosts.length,
    at: index => {
      const before = countBefore(places, index);
      const ghost = places[before] === index ? ghosts[before] : undefined;
      if (ghost) return rowOf(ghost.finding, ghost.gone);
      const place = index - before;
      const finding = list.pages.get(Math.floor(place / PAGE_SIZE))?.items[place % PAGE_SIZE];
      return finding ? rowOf(finding, false) : pending;
    },
    indexOf: id => {
      const ghost = ghosts.findIndex(item => item.finding.id === id);
      if (ghost >= 0) return places[ghost]!;
      const place = live.get(id);
      if (place === undefined) return -1;
      // Ghosts that stand before live row `place` push it down.
      return place + ghosts.filter(item => item.at <= place).length;
    },
    loaded: live.size,
  };
};

/** The finding under the cursor, or undefined where it is not loaded. */
export const underCursor = (list: List): {finding: Finding; gone: boolean} | undefined => {
  const row = shown(list).at(list.cursor.index);
  return row.kind === 'finding' ? row : undefined;
};

/** A finding by its id, as it was last seen: loaded, or left behind. */
export const findingOf = (list: List, id: string): Finding | undefined => {
  const index = shown(list).indexOf(id);
  const row = index >= 0 ? shown(list).at(index) : undefined;
  if (row?.kind === 'finding') return row.finding;
  return (
    loadedItems(list).find(item => item.finding.id === id)?.finding ??
    (list.marks.all ? undefined : list.marks.ids.get(id))
  );
};
