/** Rows by identity, in full. */
import type {Identity, Row} from '../../source/connector.js';
import type {Table} from './catalogue.js';
import {identityMatch, identityNames, identityTexts, transposed, unnested} from './identity.js';
import type {Context} from './query.js';
import {type Cells, planRow, readRow, Selected} from './rows.js';
import {Binder, type Statement} from './sql.js';

type Fetch = {statement: Statement; read: (answer: Cells[]) => (Row | undefined)[]};

/** null when no row of the table can have any of these identities. */
export const fetchQuery = (table: Table, identities: Identity[], {lower, now}: Context): Fetch | null => {
  const wanted = identities
    .map((identity, index) => ({index, texts: identityTexts(table, identity)}))
    .filter((item): item is {index: number; texts: string[]} => item.texts !== null);
  if (wanted.length === 0) return null;
  const binder = new Binder();
  const selected = new Selected();
  const plan = planRow(table, 't', [], true, {binder, now, lower}, selected);
  const names = identityNames(table);
  const list = unnested(
    transposed(
      wanted.map(item => item.texts),
      names.length,
    ),
    names,
    binder,
  );
  const text = `select u.i, ${selected.items.join(', ')} from ${list} join ${table.sql} as t on ${identityMatch(table, 't')}`;
  const read = (answer: Cells[]): (Row | undefined)[] => {
    const rows: (Row | undefined)[] = identities.map(() => undefined);
    for (const [place, ...cells] of answer)
      rows[wanted[Number(place) - 1]!.index] = readRow(plan, cells, 0, []);
    return rows;
  };
  return {statement: binder.statement(text), read};
};
