/** Which groups may be found, asked of the server, so that only their rows are read. */
import type {Groups} from '../../source/forms.js';
import {isAbsent, type Value, type ValueMap} from '../../source/values.js';
import type {Access} from './client.js';
import {aggregated, exists} from './collections.js';
import {candidatePipeline, composedKeyFilter, hexKeyFilter, leastRows, objectIdKeyFilter} from './compile.js';
import {documentOf} from './document.js';
import {valueOfBson} from './values.js';
import type {Ground} from './weaken.js';

/**
 * Does the server tell keys apart that are equal to the evaluator? Documents with another order of keys, and
 * an ObjectId beside its hex as text.
 */
const groupsOtherwise = async (
  access: Access,
  form: Groups,
  key: string[],
  ground: Ground,
): Promise<boolean> => {
  if (await exists(access, form.from, composedKeyFilter(form, key, ground))) return true;
  for (const name of key)
    if (
      (await exists(access, form.from, objectIdKeyFilter(form, name, ground))) &&
      (await exists(access, form.from, hexKeyFilter(form, name, ground)))
    )
      return true;
  return false;
};

/**
 * The keys of groups with enough rows to be found, as the server counts them; null where the server can't be
 * asked (a single row may be found, or it would group otherwise), and every row has to be read.
 */
export const candidateKeys = async (
  access: Access,
  form: Groups,
  key: string[],
  ground: Ground,
): Promise<Value[][] | null> => {
  if (!access.info.groups || leastRows(form) < 2) return null;
  if (await groupsOtherwise(access, form, key, ground)) return null;
  const documents = await aggregated(access, form.from, candidatePipeline(form, key, ground));
  return documents
    .map(bytes => valueOfBson(documentOf(bytes)) as ValueMap)
    .map(({_id}) => key.map((_, index) => (_id as ValueMap)[`k${index}`]))
    .filter(values => !values.some(isAbsent));
};
