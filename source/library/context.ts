/** What each function of the library works with. */

import type {CheckConfig} from '../config/schema.js';
import type {Connector} from '../connector.js';
import type {Checker} from '../engine/checker.js';
import type {FullEngine} from '../engine/engine.js';
import type {CheckKind} from '../types.js';

/** Any logger with these methods: console, pino, winston. Nothing that it is given holds a credential. */
export type Logger = {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
};

/** Which check a call is about, as `store/name`; needed only where several would do. */
export type Which = {check?: string};

export type LibraryContext = {
  engine: FullEngine;
  logger: Logger;
  /** The check of this kind that suits; `usage` where there is none, or several and none is named. */
  checker<C extends CheckConfig>(
    kind: CheckKind,
    which: Which,
    suits?: (config: C) => boolean,
  ): Checker & {readonly config: C};
  /** The connection of a check's store that writes, opened once and kept; throws `read-only` where nothing may. */
  writer(checker: Checker): Promise<Connector>;
};
