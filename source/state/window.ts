/** Moving through a list, and keeping the cursor on its row while pages come and go. */
import {type List, loadedItems, PAGE_SIZE} from './lists.js';
import {shown} from './shown.js';

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

/** Puts the cursor at a place on the list and scrolls as little as it needs to be seen. */
export const moveTo = (list: List, index: number, height: number): List => {
  const rows = shown(list);
  const place = clamp(index, 0, Math.max(0, rows.count - 1));
  const row = rows.count > 0 ? rows.at(place) : undefined;
  const low = Math.max(0, place - height + 1);
  const top = clamp(clamp(list.top, low, place), 0, Math.max(0, rows.count - height));
  return {...list, top, cursor: {index: place, id: row?.kind === 'finding' ? row.finding.id : null}};
};

/**
 * The list with its cursor on the row that it was on before the contents changed, and that row where it was on
 * the screen. When the row is not shown any more, the cursor stays at its place; before the user's first move, at
 * the top.
 */
export const settle = (list: List, height: number): List => {
  if (!list.moved) return moveTo({...list, top: 0}, 0, height);
  const rows = shown(list);
  const {id, index} = list.cursor;
  const found = id === null ? -1 : rows.indexOf(id);
  const place = found >= 0 ? found : index;
  return moveTo({...list, top: Math.max(0, list.top + place - index)}, place, height);
};

/** Forgets ghosts that are neither marked nor under the cursor any more. */
export const prune = (list: List, height: number): List => {
  const {marks, cursor} = list;
  const kept = list.ghosts.filter(
    ghost => ghost.finding.id === cursor.id || (!marks.all && marks.ids.has(ghost.finding.id)),
  );
  return kept.length === list.ghosts.length ? list : settle({...list, ghosts: kept}, height);
};

/** The numbers of the pages that the rows on the screen are on. */
export const pagesInView = (list: List, height: number): number[] => {
  if (list.total === null) return [0];
  const last = Math.max(0, Math.ceil(list.total / PAGE_SIZE) - 1);
  if (list.filter === '' && list.sort === null) {
    // Ghosts push rows down, so a place may be a few rows early: asking one page too many does no harm.
    const from = Math.floor(Math.max(0, list.top - list.ghosts.length) / PAGE_SIZE);
    const to = Math.floor((list.top + height - 1) / PAGE_SIZE);
    return range(clamp(from, 0, last), clamp(to, 0, last));
  }
  const places = new Map(
    loadedItems(list).map(item => [item.finding.id, Math.floor(item.index / PAGE_SIZE)]),
  );
  const rows = shown(list);
  const numbers = new Set<number>();
  for (let index = list.top; index < Math.min(list.top + height, rows.count); index++) {
    const row = rows.at(index);
    const number = row.kind === 'finding' ? places.get(row.finding.id) : undefined;
    if (number !== undefined) numbers.add(number);
  }
  return numbers.size === 0 ? [0] : [...numbers].sort((a, b) => a - b).slice(0, 3);
};

const range = (from: number, to: number): number[] =>
  Array.from({length: to - from + 1}, (_, index) => from + index);

/** Pages on the screen that have never come, or that are older than the last answer by more than a refresh. */
export const pagesNeeded = (list: List, height: number, refreshMs: number): number[] =>
  pagesInView(list, height).filter(number => {
    if (list.loading.includes(number)) return false;
    const page = list.pages.get(number);
    return page === undefined || (list.answeredAt !== null && list.answeredAt - page.at > refreshMs);
  });
