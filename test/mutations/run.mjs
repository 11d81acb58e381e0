// `npm run test:mutations [-- REQUIREMENT…]`: takes each protection of table.mjs out of a copy of the project and
// expects its test to go red; the same tests are run without any change first. Prints a line for each protection.
// It takes about a quarter of an hour, so it is no part of `npm test` or CI; `result.md` is what it printed last.
// Ends with 1 when a test stays green (the mutation survives), can't be run, or is red without a change.

import {makeCopy, mutate} from './copy.mjs';
import {entries} from './table.mjs';
import {build, runTests} from './tests.mjs';

const say = text => process.stderr.write(`${text}\n`);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));

const isOf = (test, {file, name}) => file.endsWith(test.file) && name.includes(test.name);

/** Tests that are not green as they are: nothing can be told from them. */
const notGreen = async (copy, chosen) => {
  const bad = [];
  const groups = [chosen.filter(({servers}) => servers), chosen.filter(({servers}) => !servers)];
  for (const some of groups.filter(({length}) => length > 0)) {
    const tests = some.map(({test}) => test);
    const servers = some[0].servers && [...new Set(some.flatMap(({servers}) => servers))];
    const {found, output} = await runTests(copy, tests, {servers});
    for (const test of tests) {
      const own = found.filter(one => isOf(test, one));
      if (own.length === 0) bad.push(`${test.file}: no test “${test.name}” was run\n${output.slice(-1000)}`);
      for (const {name, status, message} of own)
        if (status !== 'passed') bad.push(`${test.file}: “${name}” is red without a change: ${message}`);
    }
  }
  return [...new Set(bad)];
};

/** `red` is what it should be; everything else is told. */
const verdictOf = async (copy, {edits, test, servers}) => {
  const putBack = mutate(copy, edits);
  try {
    const wrong = await build(copy);
    if (wrong !== null) return {verdict: 'does not compile', why: wrong};
    const {found, output} = await runTests(copy, [test], {servers, bail: true});
    const failed = found.find(({status}) => status === 'failed');
    if (failed) return {verdict: 'red', why: failed.message};
    if (found.length === 0) return {verdict: 'no test', why: output.slice(-600)};
    return {verdict: 'green', why: 'the mutation survives'};
  } finally {
    putBack();
  }
};

const table = rows => {
  const all = [['', 'PROTECTION TAKEN OUT', 'TEST', ''], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map(row => row[column].length)));
  return all
    .map(row =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

const main = async () => {
  const wanted = process.argv.slice(2).map(text => text.toUpperCase());
  const chosen = entries.filter(({requirement}) => wanted.length === 0 || wanted.includes(requirement));
  if (chosen.length === 0) {
    say(`no entry for ${wanted.join(', ')}`);
    return 2;
  }
  const copy = makeCopy();
  const wrong = await build(copy);
  if (wrong !== null) {
    say(`the project does not compile: ${wrong}`);
    return 1;
  }
  const bad = await notGreen(copy, chosen);
  if (bad.length > 0) {
    say(bad.join('\n'));
    return 1;
  }
  say(`${new Set(chosen.map(({test}) => test.file + test.name)).size} tests are green without a change`);
  const rows = [];
  let survivors = 0;
  for (const entry of chosen) {
    const {requirement, protection, test} = entry;
    const {verdict, why} = await verdictOf(copy, entry);
    if (verdict !== 'red') survivors++;
    say(`${requirement}  ${verdict}  ${protection}  (${why})`);
    rows.push([requirement, protection, `${test.file} “${test.name}”`, verdict]);
  }
  process.stdout.write(`${table(rows)}\n\n${rows.length} protections, ${survivors} survivors.\n`);
  return survivors > 0 ? 1 : 0;
};

process.exit(await main());
