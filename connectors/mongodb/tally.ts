/** Counting rows by value: by the server where it counts as the evaluator does, else here. */
import type {ReadOptions} from '../../source/connector.js';
import {evaluateTally, type RawRow} from '../../source/evaluate.js';
import {type Form, partnersOfForm, type Tally} from '../../source/forms.js';
import {canonical, type Value, type ValueMap} from '../../source/values.js';
import type {Access} from './client.js';
import {aggregated, exists, requireCollections, rowsOf} from './collections.js';
import {compile, mergedValueFilter, tallyPipeline} from './compile.js';
import {documentOf} from './document.js';
import {groundOf, partnersFor, searchFor} from './read.js';
import {valueOfBson} from './values.js';

type Count = {value: Value; count: number};

/** Counts by value; the server's groups are put together where values are neutrally equal. */
const mergeCounts = (documents: Uint8Array[]): Count[] => {
  const counts = new Map<string, Count>();
  for (const bytes of documents) {
    const {_id, n} = valueOfBson(documentOf(bytes)) as ValueMap;
    const entry = counts.get(canonical(_id));
    if (entry) entry.count += Number(n);
    else counts.set(canonical(_id), {value: _id, count: Number(n)});
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
};

const countsAlike = async (access: Access, {from, by}: Tally): Promise<boolean> =>
  access.info.groups && 'attr' in by && !(await exists(access, from, mergedValueFilter(by.attr)));

/** How many rows there are for each value. `only` narrows to some rows. */
export const tallyForm = async (access: Access, form: Tally, options: ReadOptions): Promise<Count[]> => {
  const asForm: Form = {form: 'rows', from: form.from, where: form.where ?? {all: []}, show: [], tags: {}};
  await requireCollections(access, [form.from, ...partnersOfForm(asForm).map(({table}) => table)]);
  const pipeline = options.only ? null : tallyPipeline(form, groundOf(access, options));
  if (pipeline && (await countsAlike(access, form)))
    return mergeCounts(await aggregated(access, form.from, pipeline));
  const env = await partnersFor(access, asForm, options.now);
  const query = compile(form, groundOf(access, options));
  const rows: RawRow[] = [];
  const {filters, byId = false} = await searchFor(access, asForm, options, query.filter);
  for (const filter of filters)
    for await (const row of rowsOf(access, form.from, {...query, filter, byId})) rows.push(row);
  return evaluateTally(form, rows, env);
};
