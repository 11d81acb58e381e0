/** What the objects of `sorted` and `unique` are called. Those of migration 000009 follow the same rule. */
import {objectName} from '../sql/names.js';

export const sorterName = (elementBase: string): string => objectName(`sort_${elementBase}_array`);
export const sortFunctionName = (column: string): string => objectName(`sort_${column}_trigger`);
export const sortTriggerName = (column: string): string => objectName(`trigger_sort_${column}`);

/** `unique_device_stream_session_ids` of device_key, stream_id, session_ids. */
export const constraintName = (columns: readonly string[]): string =>
  objectName(`unique_${columns.map(column => column.replace(/(?<=.)_(?:key|id)$/, '')).join('_')}`);
