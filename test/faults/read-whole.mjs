// Reads every row of a table in full through a connector, as a plan does, and prints how many there were.
import {openConnector} from '../../dist/connectors/index.js';

const [store, table] = process.argv.slice(2);
const connector = await openConnector('shop', JSON.parse(store), {
  environment: 'test',
  timeoutMs: 600_000,
  readOnly: true,
});
const form = {form: 'rows', from: table, where: {all: []}, show: [], tags: {}};
let count = 0;
for await (const found of connector.read(form, {now: await connector.now(), full: true}))
  count += found.rows.length;
await connector.close();
process.stdout.write(`${count}\n`);
