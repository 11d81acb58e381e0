/**
 * The findings of one check as the screen holds them: pages by offset around the cursor, never the whole result.
 * A row is known by the id of its finding, so that a refresh moves neither the cursor nor a mark off its row.
 */
import type {Identity} from '../connector.js';
import type {CheckError, Finding, Severity} from '../types.js';

export const PAGE_SIZE = 200;
/** Pages kept at once; those farthest from the cursor go first. */
export const MAX_PAGES = 20;

export type Page = {items: readonly Finding[]; at: number};

/** A tracked row that left its page: `gone` once it is known to be nowhere else. Shown before live row `at`. */
export type Ghost = {finding: Finding; at: number; gone: boolean};

/** `all`: everything that the check's actions apply to, as a rule rather than as ids (a million of them). */
export type Marks = {all: false; ids: ReadonlyMap<string, Finding>} | {all: true};

export type SortKey = 'group' | 'severity' | 'age' | 'rows' | 'reason';

export type Summary = {
  status: 'pass' | 'fail' | 'error';
  total: number;
  byReason: Record<string, number>;
  bySeverity: Record<Severity, number>;
  tookMs: number;
};

export type List = {
  check: string;
  /** `sessions`: the findings of a device check, and after them its other sessions. */
  source: 'findings' | 'sessions';
  /** Rows in all; null until the store has answered once. */
  total: number | null;
  pages: ReadonlyMap<number, Page>;
  ghosts: readonly Ghost[];
  marks: Marks;
  /** Keepers that the user chose, by finding id. */
  keepers: Readonly<Record<string, Identity>>;
  cursor: {index: number; id: string | null};
  /** The user was at a row: from then on the cursor stays on its row, and until then at the top. */
  moved: boolean;
  /** The first row on the screen. */
  top: number;
  /** Where a range of marks began: the id of its first row. */
  anchor: string | null;
  filter: string;
  sort: SortKey | null;
  reversed: boolean;
  /** Pages that were asked for and have not come. */
  loading: readonly number[];
  /** When it was last asked and last answered, milliseconds on this machine's clock; null for never. */
  askedAt: number | null;
  answeredAt: number | null;
  summary: Summary | null;
  error: CheckError | null;
  /** Errors in a row: the pauses between attempts grow with them. */
  failures: number;
};

export const noMarks: Marks = {all: false, ids: new Map()};

export const emptyList = (check: string, source: List['source']): List => ({
  check,
  source,
  total: null,
  pages: new Map(),
  ghosts: [],
  marks: noMarks,
  keepers: {},
  cursor: {index: 0, id: null},
  moved: false,
  top: 0,
  anchor: null,
  filter: '',
  sort: null,
  reversed: false,
  loading: [],
  askedAt: null,
  answeredAt: null,
  summary: null,
  error: null,
  failures: 0,
});

/** Every finding that is loaded, in the check's order; where two pages hold the same one, the newer page has it. */
export const loadedItems = (list: List): {index: number; finding: Finding}[] => {
  const newest = new Map<string, {index: number; finding: Finding; at: number}>();
  for (const [number, page] of list.pages) {
    page.items.forEach((finding, offset) => {
      const known = newest.get(finding.id);
      if (known && known.at > page.at) return;
      newest.set(finding.id, {index: number * PAGE_SIZE + offset, finding, at: page.at});
    });
  }
  return [...newest.values()].sort((a, b) => a.index - b.index);
};

/** True when every row that the check has is loaded. */
export const isWhole = (list: List): boolean => {
  if (list.total === null) return false;
  for (let number = 0; number * PAGE_SIZE < list.total; number++) {
    if (!list.pages.has(number)) return false;
  }
  return true;
};
