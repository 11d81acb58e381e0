/** Which tables a question, a change or a put speaks of: a transaction looks them up before anything else. */
import type {Put, Unit} from '../../source/connector.js';
import {type Form, type Pred, partnersOf, partnersOfForm, type Tally} from '../../source/forms.js';

const tablesOfPred = (pred: Pred): string[] => partnersOf(pred).map(({table}) => table);

/** The tables that a form reads. */
export const tablesOfForm = (form: Form): string[] => [
  form.from,
  ...partnersOfForm(form).map(({table}) => table),
];

/** The tables that a tally reads. */
export const tablesOfTally = ({from, where}: Tally): string[] => [
  from,
  ...(where ? tablesOfPred(where) : []),
];

/** The tables that units write, and those that their conditions read. */
export const tablesOfUnits = (units: Unit[]): string[] => {
  const written = units.flatMap(({group, changes}) => [
    ...(group ? [group.table] : []),
    ...changes.map(({table}) => table),
  ]);
  const conditions = units.flatMap(({group, changes}) => [
    ...(group ? [group.where] : []),
    ...changes.flatMap(({still}) => (still ? [still] : [])),
  ]);
  return [...written, ...conditions.flatMap(tablesOfPred)];
};

/** The tables that a put reads or writes. */
export const tablesOfPut = ({table, where, also}: Put): string[] => [
  table,
  ...tablesOfPred(where),
  ...(also ?? []).map(beside => beside.table),
];
