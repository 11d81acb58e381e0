import {failed} from './mongodb-errors.js';
import {evaluate, mingoStage, type Variables} from './mongodb-expressions.js';
import {group} from './mongodb-group.js';
import {compileFilter} from './mongodb-match.js';
import {keyOf} from './mongodb-order.js';
import {candidatesAt} from './mongodb-paths.js';
import {compileProjection} from './mongodb-projection.js';
import {sorted} from './mongodb-sort.js';
import {type Doc, isDocument, isNumeric, toNumber} from './mongodb-values.js';

/** The documents of another collection of the same database, for `$lookup` and `$unionWith`. */
export type Collections = (name: string) => Doc[];

const MINGO_STAGES = new Set([
  '$addFields',
  '$set',
  '$unset',
  '$unwind',
  '$replaceRoot',
  '$replaceWith',
  '$sortByCount',
  '$bucket',
  '$bucketAuto',
  '$redact',
  '$sample',
  '$documents',
  '$graphLookup',
  '$setWindowFields',
]);

/**
 * Runs a pipeline. The stages that select, order, group and join work on undecoded types; the rest is mingo's, for
 * which numbers are JavaScript's. Stages that write, and those of a replica set, are refused.
 */
export const runPipeline = (
  docs: Doc[],
  pipeline: unknown,
  collections: Collections,
  variables: Variables = {},
): Doc[] => {
  if (!Array.isArray(pipeline)) throw failed('FailedToParse', "'pipeline' has to be an array");
  return pipeline.reduce<Doc[]>((rows, stage) => {
    const names = isDocument(stage) ? Object.keys(stage) : [];
    if (names.length !== 1) throw failed('FailedToParse', 'A pipeline stage must contain exactly one field.');
    return runStage(rows, names[0]!, stage[names[0]!], collections, variables);
  }, docs);
};

const runStage = (
  docs: Doc[],
  name: string,
  spec: unknown,
  collections: Collections,
  variables: Variables,
): Doc[] => {
  switch (name) {
    case '$match':
      return docs.filter(compileFilter(spec as Doc, variables));
    case '$sort':
      return sorted(docs, spec as Doc, doc => doc);
    case '$limit':
      return docs.slice(0, count(spec, name));
    case '$skip':
      return docs.slice(count(spec, name));
    case '$count':
      return docs.length === 0 ? [] : [{[String(spec)]: docs.length}];
    case '$group':
      return group(docs, spec as Doc, variables);
    case '$project':
      return docs.map(compileProjection(spec as Doc, variables));
    case '$lookup':
      return lookup(docs, spec as Doc, collections, variables);
    case '$unionWith': {
      const {coll, pipeline = []} = typeof spec === 'string' ? {coll: spec} : (spec as Doc);
      return [...docs, ...runPipeline(collections(String(coll)), pipeline, collections, variables)];
    }
    case '$facet':
      return [
        Object.fromEntries(
          Object.entries(spec as Doc).map(([facet, stages]) => [
            facet,
            runPipeline(docs, stages, collections, variables),
          ]),
        ),
      ];
    default:
      return otherStage(docs, name, spec, collections, variables);
  }
};

const count = (spec: unknown, name: string): number => {
  if (!isNumeric(spec) || toNumber(spec) < 0)
    throw failed('FailedToParse', `invalid argument to ${name} stage`);
  return toNumber(spec);
};

const otherStage = (
  docs: Doc[],
  name: string,
  spec: unknown,
  collections: Collections,
  variables: Variables,
): Doc[] => {
  if (name === '$changeStream')
    throw failed('CommandNotSupported', 'The $changeStream stage is only supported on replica sets');
  if (!MINGO_STAGES.has(name))
    throw failed('UnrecognizedStage', `Unrecognized pipeline stage name: '${name}'`);
  const result = mingoStage(docs, {[name]: spec}, variables, collections);
  if (name !== '$set' && name !== '$addFields' && name !== '$unset') return result;
  // These leave the other fields alone: their types must not change on the way through plain numbers.
  const paths = name === '$unset' ? [spec].flat() : Object.keys(spec as Doc);
  const touched = new Set(paths.map(path => String(path).split('.')[0]!));
  return result.map((changed, i) =>
    Object.fromEntries(
      Object.entries(changed).map(([field, value]) => [field, touched.has(field) ? value : docs[i]![field]]),
    ),
  );
};

const lookup = (docs: Doc[], spec: Doc, collections: Collections, variables: Variables): Doc[] => {
  const {from, localField, foreignField, as, pipeline = [], let: names = {}} = spec;
  if (typeof as !== 'string' || typeof from !== 'string')
    throw failed('FailedToParse', "$lookup needs 'from' and 'as'");
  const foreign = collections(from);
  const byKey = typeof foreignField === 'string' ? indexed(foreign, foreignField) : undefined;
  return docs.map(doc => {
    const own = Object.fromEntries(
      Object.entries(names as Doc).map(([name, value]) => [name, evaluate(doc, value, variables)]),
    );
    const partners = byKey ? partnersOf(doc, String(localField), byKey) : foreign;
    return {...doc, [as]: runPipeline(partners, pipeline, collections, {...variables, ...own})};
  });
};

const indexed = (docs: Doc[], path: string): Map<string, Set<Doc>> => {
  const byKey = new Map<string, Set<Doc>>();
  for (const doc of docs)
    for (const value of candidatesAt(doc, path)) {
      const key = keyOf(value ?? null);
      byKey.set(key, (byKey.get(key) ?? new Set()).add(doc));
    }
  return byKey;
};

/** A local array is looked up by its elements, as MongoDB does; a missing value equals null. */
const partnersOf = (doc: Doc, path: string, byKey: Map<string, Set<Doc>>): Doc[] => {
  const partners = new Set<Doc>();
  for (const value of candidatesAt(doc, path))
    for (const partner of byKey.get(keyOf(value ?? null)) ?? []) partners.add(partner);
  return [...partners];
};
