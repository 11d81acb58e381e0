/** What becomes of a list when a page of it comes, or doesn't. */
import type {CheckError, Finding} from '../types.js';
import {
  type Ghost,
  isWhole,
  type List,
  loadedItems,
  MAX_PAGES,
  PAGE_SIZE,
  type Page,
  type Summary,
} from './lists.js';
import {settle} from './window.js';

export type Arrival = {page: number; items: Finding[]; total: number; summary: Summary; now: number};

/** Rows that may not vanish silently: the cursor's and the marked ones. */
const isTracked = (list: List, id: string): boolean =>
  (list.moved && list.cursor.id === id) || list.anchor === id || (!list.marks.all && list.marks.ids.has(id));

/** The pages after this one came: those beyond the end go, and the farthest where there are too many. */
const placed = (list: List, arrival: Arrival): Map<number, Page> => {
  const pages = new Map(list.pages);
  if (arrival.items.length > 0 || arrival.page === 0) {
    pages.set(arrival.page, {items: arrival.items, at: arrival.now});
  } else {
    pages.delete(arrival.page);
  }
  for (const number of pages.keys()) {
    if (number > 0 && number * PAGE_SIZE >= arrival.total) pages.delete(number);
  }
  const here = Math.floor(list.cursor.index / PAGE_SIZE);
  const byDistance = [...pages.keys()].sort((a, b) => Math.abs(b - here) - Math.abs(a - here));
  for (const number of byDistance.slice(0, Math.max(0, pages.size - MAX_PAGES))) pages.delete(number);
  return pages;
};

/** Marked findings as they are now; the actions that apply may have changed. */
const refreshed = (list: List, items: readonly Finding[]): List['marks'] => {
  const {marks} = list;
  if (marks.all || !items.some(item => marks.ids.has(item.id))) return marks;
  const ids = new Map(marks.ids);
  for (const item of items) if (ids.has(item.id)) ids.set(item.id, item);
  return {all: false, ids};
};

/**
 * The list with a page that came. `unsure`: tracked rows that left the page and may be on another one; they stay
 * shown, and the store is asked whether they are still there.
 */
export const arrive = (list: List, arrival: Arrival, height: number): {list: List; unsure: string[]} => {
  const before = loadedItems(list);
  const next: List = {
    ...list,
    pages: placed(list, arrival),
    marks: refreshed(list, arrival.items),
    total: arrival.total,
    summary: arrival.summary,
    loading: list.loading.filter(number => number !== arrival.page),
    answeredAt: arrival.now,
    error: null,
    failures: 0,
  };
  const there = new Set(loadedItems(next).map(item => item.finding.id));
  const whole = isWhole(next);
  // A row leaves the page that came; pages that were only dropped from memory have lost nothing.
  const left = before.filter(
    item =>
      Math.floor(item.index / PAGE_SIZE) === arrival.page &&
      !there.has(item.finding.id) &&
      isTracked(list, item.finding.id),
  );
  const known = next.ghosts.filter(ghost => !there.has(ghost.finding.id));
  const ghosts: Ghost[] = [
    ...known.map(ghost => ({...ghost, gone: ghost.gone || whole, at: Math.min(ghost.at, arrival.total)})),
    ...left
      .filter(item => !known.some(ghost => ghost.finding.id === item.finding.id))
      .map(item => ({finding: item.finding, at: Math.min(item.index, arrival.total), gone: whole})),
  ];
  const unsure = ghosts.filter(ghost => !ghost.gone).map(ghost => ghost.finding.id);
  return {list: settle({...next, ghosts}, height), unsure};
};

/** The list after the store was asked for tracked rows: those that are nowhere are gone. */
export const verify = (list: List, asked: readonly string[], there: readonly string[]): List => ({
  ...list,
  ghosts: list.ghosts.map(ghost =>
    asked.includes(ghost.finding.id) && !there.includes(ghost.finding.id) ? {...ghost, gone: true} : ghost,
  ),
});

/** The list after its store did not answer: what it held stays, with its age. */
export const fail = (list: List, page: number, error: CheckError): List => ({
  ...list,
  error,
  failures: list.failures + 1,
  loading: list.loading.filter(number => number !== page),
});
