import type {Doc} from './mongodb-values.js';

const CODES = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  TypeMismatch: 14,
  IllegalOperation: 20,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  CommandNotSupported: 115,
  DocumentValidationFailure: 121,
  InvalidIndexSpecificationOption: 197,
  CannotConvertIndexToUnique: 359,
  AmbiguousIndexKeyPattern: 181,
  DollarPrefixedFieldName: 52,
  DuplicateKey: 11000,
  BSONObjectTooLarge: 10334,
  UnrecognizedStage: 40324,
} as const;

export type CodeName = keyof typeof CODES;

/** An error that a command answers with: MongoDB's code, its name, and what else belongs into the answer. */
export class MongodbFailure extends Error {
  readonly code: number;

  constructor(
    readonly codeName: CodeName,
    message: string,
    readonly extra: Doc = {},
  ) {
    super(message);
    this.code = CODES[codeName];
  }

  reply(): Doc {
    return {ok: 0, errmsg: this.message, code: this.code, codeName: this.codeName, ...this.extra};
  }

  writeError(index: number): Doc {
    return {index, code: this.code, errmsg: this.message, ...this.extra};
  }
}

export const failed = (codeName: CodeName, message: string, extra?: Doc): MongodbFailure =>
  new MongodbFailure(codeName, message, extra);
