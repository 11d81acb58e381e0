/**
 * Runs one configured check: makes sure that its tables and columns are there, asks its questions, judges the
 * answers. Never more than one question of a check at a time.
 */
import pLimit from 'p-limit';
import {actionsOfReasons, type Check, type Judged, type Part, type Shapes} from '../checks/check.js';
import {checkOf} from '../checks/index.js';
import type {CheckConfig} from '../config/schema.js';
import type {Connector, Found, ReadOptions, TableShape} from '../connector.js';
import {asSesstuiError, SesstuiError} from '../errors.js';
import {attributesOf, attributesOfPred, type Form, type Tally} from '../forms.js';
import type {CheckInfo, CheckResult, Finding, Severity} from '../types.js';
import {isoOfMicros} from '../values.js';
import {orderReasons, severityOf, toFinding} from './findings.js';
import type {Store} from './stores.js';

export type CheckOptions = {
  offset?: number;
  limit?: number;
  signal?: AbortSignal;
  insist?: boolean;
  allowScan?: boolean;
};
/** How many rows a check may read without an index; null for no limit. */
export type ScanLimit = number | null;

/** What a check works with once its tables are known. */
export type Opened = {connector: Connector; shapes: Shapes; parts: Part[]; now: number};

export class Checker {
  readonly id: string;
  readonly check: Check;
  readonly config: CheckConfig;
  readonly store: Store;
  readonly scanLimit: ScanLimit;
  #one = pLimit(1);

  constructor(store: Store, config: CheckConfig, scanLimit: ScanLimit) {
    this.store = store;
    this.config = config;
    this.check = checkOf(config.check);
    this.scanLimit = scanLimit;
    this.id = `${store.name}/${config.name ?? config.check}`;
  }

  get info(): CheckInfo {
    return {
      id: this.id,
      store: this.store.name,
      storeKind: this.store.config.kind,
      kind: this.check.kind,
      name: this.config.name ?? this.config.check,
      table: this.check.table(this.config),
      columns: this.check.columns(this.config, {}),
      healthy: this.check.healthy(this.config),
      reasons: this.check.reasons,
      actions: this.check.offered(this.config),
    };
  }

  /** One question at a time; asks the store for its time and, when they are not known, its tables. */
  ask<T>(
    question: (opened: Opened) => Promise<T>,
    options: {signal?: AbortSignal; insist?: boolean} = {},
  ): Promise<T> {
    return this.#one(() =>
      this.store.ask(async connector => {
        options.signal?.throwIfAborted();
        return question(await this.open(connector, options.signal));
      }, options),
    );
  }

  async open(connector: Connector, signal?: AbortSignal): Promise<Opened> {
    const shapes: Shapes = {};
    for (const {table, columns} of this.check.needs(this.config)) {
      const shape = await this.store.shape(connector, table, columns, signal);
      if (shape.hidden) {
        throw new SesstuiError(
          'incomplete',
          `check ${this.id}: ${shape.hidden}`,
          "Use a role that sees every row (BYPASSRLS, or the table's owner); a part of the rows would be a wrong answer.",
        );
      }
      shapes[table] = shape;
    }
    const fault = this.check.refuse?.(this.config, shapes);
    if (fault)
      throw new SesstuiError(
        'config',
        `check ${this.id}: ${fault}`,
        'Change the configuration of the check, or the table.',
      );
    const now = await connector.now(signal);
    return {connector, shapes, parts: this.check.parts(this.config, shapes), now};
  }

  /** How many rows a question would read without an index, where they are more than `limits.scan`; else null. */
  async scanOf(
    {connector, shapes, now}: Pick<Opened, 'connector' | 'shapes' | 'now'>,
    form: Form | Tally,
    signal?: AbortSignal,
  ): Promise<number | null> {
    const shape = shapes[form.from];
    const rows = shape?.estimatedRows ?? 0;
    if (!shape || this.scanLimit === null || rows <= this.scanLimit) return null;
    const scans = (await connector.scans?.(form, {now, signal})) ?? !usesIndex(form, shape);
    return scans ? rows : null;
  }

  /** Throws `scan-limit` where one of the questions, or of the check's own, would read too much. */
  async refuseScan(
    opened: Opened,
    {
      allowScan,
      signal,
      forms = opened.parts.map(({form}) => form),
    }: {allowScan?: boolean | undefined; signal?: AbortSignal; forms?: (Form | Tally)[]},
  ): Promise<void> {
    if (allowScan) return;
    for (const form of forms) {
      const rows = await this.scanOf(opened, form, signal);
      if (rows === null) continue;
      const isIndexed = usesIndex(form, opened.shapes[form.from]!);
      throw new SesstuiError(
        'scan-limit',
        `check ${this.id} would read about ${rows} rows of ${form.from} without an index (limits.scan is ${this.scanLimit})`,
        isIndexed
          ? 'The index that there is does not serve this question: add --allow-scan to read them all the same, or raise limits.scan.'
          : `Add --allow-scan to read them all the same, raise limits.scan, or add an index on ${leading(form).join(', ')}.`,
      );
    }
  }

  actionsFor(judged: Judged): string[] {
    const offered = this.check.offered(this.config).map(({name}) => name);
    const apply = actionsOfReasons(this.check.reasons, orderReasons(this.check, judged.reasons));
    return apply.filter(action => offered.includes(action) && (this.check.applies?.(action, judged) ?? true));
  }

  finding(part: Part, found: Found, now: number): {judged: Judged; finding: Finding} {
    const judged = part.judge(found, now);
    const finding = toFinding(this.id, this.check, part, judged, {
      now,
      secrets: this.config.secrets,
      actions: this.actionsFor(judged),
    });
    return {judged, finding};
  }

  /** Everything that the check finds, one at a time. */
  async *findings(
    opened: Opened,
    options: Omit<ReadOptions, 'now'> & {parts?: Part[]},
  ): AsyncIterable<{part: Part; found: Found; judged: Judged; finding: Finding}> {
    for (const part of options.parts ?? opened.parts) {
      for await (const found of opened.connector.read(part.form, {...options, now: opened.now}))
        yield {part, found, ...this.finding(part, found, opened.now)};
    }
  }

  /** A page of findings with the totals. A fault of the store is the result's `error`. */
  async run({offset = 0, limit = 1000, signal, insist, allowScan}: CheckOptions = {}): Promise<CheckResult> {
    const started = performance.now();
    try {
      return await this.ask(
        async opened => {
          await this.refuseScan(opened, {allowScan, signal});
          const findings: Finding[] = [];
          const byReason: Record<string, number> = {};
          let total = 0;
          for (const part of opened.parts) {
            const from = Math.max(0, offset - total);
            const survey = await opened.connector.survey(part.form, {
              now: opened.now,
              signal,
              offset: from,
              limit: Math.max(0, limit - findings.length),
            });
            for (const found of survey.found) findings.push(this.finding(part, found, opened.now).finding);
            for (const [reason, count] of Object.entries(survey.counts))
              byReason[reason] = (byReason[reason] ?? 0) + count;
            total += survey.total;
          }
          return this.#result(findings, total, byReason, opened.now, started);
        },
        {signal, insist},
      );
    } catch (error) {
      const fault = asSesstuiError(error);
      return {
        check: this.id,
        kind: this.check.kind,
        store: this.store.name,
        status: 'error',
        total: 0,
        byReason: {},
        bySeverity: {critical: 0, warning: 0, info: 0},
        findings: [],
        error: fault.toJSON(),
        at: null,
        tookMs: performance.now() - started,
      };
    }
  }

  #result(
    findings: Finding[],
    total: number,
    counts: Record<string, number>,
    now: number,
    started: number,
  ): CheckResult {
    const byReason: Record<string, number> = {};
    const worst: Record<Severity, number> = {critical: 0, warning: 0, info: 0};
    for (const reason of orderReasons(this.check, Object.keys(counts))) {
      if (counts[reason] === 0) continue;
      byReason[reason] = counts[reason]!;
      worst[severityOf(this.check, reason)] += counts[reason]!;
    }
    const bySeverity =
      findings.length === total ? countSeverities(findings) : estimateSeverities(worst, total);
    return {
      check: this.id,
      kind: this.check.kind,
      store: this.store.name,
      status: worst.critical + worst.warning > 0 ? 'fail' : 'pass',
      total,
      byReason,
      bySeverity,
      findings,
      at: isoOfMicros(Math.floor(now / 1000) * 1000),
      tookMs: performance.now() - started,
    };
  }
}

const countSeverities = (findings: Finding[]): Record<Severity, number> => {
  const counts: Record<Severity, number> = {critical: 0, warning: 0, info: 0};
  for (const {severity} of findings) counts[severity]++;
  return counts;
};

/** A finding with two reasons is counted under both: of a page, the totals by severity are at most these. */
const estimateSeverities = (worst: Record<Severity, number>, total: number): Record<Severity, number> => {
  const critical = Math.min(worst.critical, total);
  const warning = Math.min(worst.warning, total - critical);
  return {critical, warning, info: total - critical - warning};
};

/** The attributes that an index would have to lead with. */
const leading = (form: Form | Tally): string[] => {
  if (form.form === 'groups') return form.key.flatMap(attributesOf);
  return form.form === 'tally' ? attributesOf(form.by) : [...new Set(attributesOfPred(form.where))];
};

const usesIndex = (form: Form | Tally, shape: TableShape): boolean =>
  shape.indexes.some(({attributes}) => attributes[0] !== undefined && leading(form).includes(attributes[0]));
