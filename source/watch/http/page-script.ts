/**
 * What the page does. Everything that came from a store is put in as text, with what can't be seen made visible.
 * The token stays in its field and in the headers of requests: not in a cookie, storage or an address.
 */
export const pageScript = String.raw`'use strict';
const by = id => document.getElementById(id);
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const visible = value =>
  String(value).replace(unseen, one => '\\u{' + one.codePointAt(0).toString(16) + '}');
const clipped = (value, most) => {
  const text = visible(value);
  return text.length > most ? text.slice(0, most) + '…' : text;
};
const make = (name, text, kind) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
};
const counted = (count, word) => count + ' ' + word + (count === 1 ? '' : 's');

let busy = false;
const setBusy = is => {
  busy = is;
  for (const button of [by('check'), by('clean')]) button.setAttribute('aria-disabled', String(is));
};
const say = (text, kind = '') => {
  by('message').textContent = text;
  by('message').className = 'message ' + kind;
};

const inWords = (status, error) => {
  const told = error ? [visible(error.message), visible(error.hint)].filter(Boolean).join('\n') : '';
  if (status === 401) return 'The token is missing or wrong.';
  if (status === 429) return 'Too many requests or wrong tokens from here. Wait a minute, then try again.';
  if (status === 403) return 'Not allowed: ' + told;
  if (status === 409) return 'Nothing was changed: ' + told;
  if (status === 503) return 'The store could not answer: ' + told;
  return told || 'The server answered with status ' + status + '.';
};
const ask = async (method, path) => {
  const token = by('token').value.trim();
  if (!token) throw new Error('Type the access token first.');
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('The token is missing or wrong.');
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {Authorization: 'Bearer ' + token},
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
  } catch {
    throw new Error('The server can not be reached.');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok && !answer.runs) throw new Error(inWords(response.status, answer.error));
  return answer;
};
const cleanupPath = customer =>
  '/cleanup-sessions' + (customer === '' ? '' : '?customer=' + encodeURIComponent(customer));

const colours = {healthy: 'good', pass: 'good', warning: 'warn', unknown: 'warn', critical: 'bad', fail: 'bad', error: 'bad'};
const cell = (row, name, text, kind) => {
  const td = make('td', undefined, kind);
  td.dataset.name = name;
  td.append(make('span', text));
  row.append(td);
};
const tile = (name, value, kind) => {
  const box = make('div', undefined, 'tile');
  box.append(make('dt', name), make('dd', value, kind));
  by('tiles').append(box);
};
const listOf = (counts, none) => {
  const entries = Object.entries(counts);
  return entries.length === 0
    ? none
    : entries.map(([name, count]) => clipped(name, 100) + ' ' + count).join(', ');
};
const items = (list, lines) => by(list).replaceChildren(...lines);

const show = report => {
  const {waiting, total, byStatus} = report.sessions;
  const isUnknown = report.checks.some(check => check.status === 'error');
  by('tiles').replaceChildren();
  tile('Health', visible(report.health), colours[report.health]);
  tile('Sessions', total);
  tile('Waiting', waiting.total);
  tile('Stale', waiting.stale, waiting.stale > 0 ? 'warn' : '');
  tile('Very stale', waiting.veryStale, waiting.veryStale > 0 ? 'bad' : '');
  by('sessions').textContent = 'Sessions: ' + listOf(byStatus, 'none');
  by('requests').textContent = 'Requests: ' + listOf(report.requests.byStatus, 'none');
  by('at').textContent =
    'Environment ' + visible(report.environment) + ', looked at ' + visible(report.at) +
    (isUnknown ? '. A check could not be answered: what it would count is not in these numbers.' : '');
  by('checks').replaceChildren(
    ...report.checks.map(check => {
      const row = make('tr');
      cell(row, 'Check', visible(check.check));
      cell(row, 'Status', visible(check.status), colours[check.status]);
      cell(row, 'Found', check.status === 'error' ? '?' : check.total, 'number');
      cell(row, 'Reasons', check.error ? visible(check.error.message) : listOf(check.byReason, '–'));
      return row;
    }),
  );
  items('problems', report.problems.map(problem => {
    const line = make('li');
    line.append(
      make('strong', visible(problem.severity), colours[problem.severity]),
      ' ' + visible(problem.check) + ': ' + problem.count + ' × ' + visible(problem.text),
    );
    return line;
  }));
  by('no-problems').hidden = report.problems.length > 0;
  items('recommendations', report.recommendations.map(text => make('li', visible(text))));
  by('report').hidden = false;
};

const check = async () => show(await ask('GET', '/session-health'));
const guarded = job => async () => {
  if (busy) return;
  setBusy(true);
  try {
    await job();
  } catch (error) {
    say(error.message, 'bad');
  } finally {
    setBusy(false);
  }
};

const changesOf = runs => runs.flatMap(run => run.changes.map(change => ({...change, check: run.check})));
const sum = (runs, name) => runs.reduce((all, run) => all + run[name], 0);
const notesOf = runs =>
  runs.flatMap(run => [...(run.faults || []).map(fault => run.check + ': ' + fault), ...run.notes]);
const values = map => (map ? Object.entries(map).map(([name, value]) => clipped(name, 60) + ' ' + clipped(typeof value === 'string' ? value : JSON.stringify(value), 100)).join(', ') : '');
const shownChanges = 200;

const decide = (runs, customer) =>
  new Promise(done => {
    const changes = changesOf(runs).filter(change => change.result === 'planned');
    const dialog = by('plan');
    by('plan-title').textContent =
      'Clean ' + counted(changes.length, 'session') + (customer === '' ? '?' : ' of ' + clipped(customer, 100) + '?');
    by('plan-rows').replaceChildren(
      ...changes.slice(0, shownChanges).map(change => {
        const row = make('tr');
        cell(row, 'Store', clipped(change.check.split('/')[0] + ', ' + change.table, 100));
        cell(row, 'Session', values(change.key));
        cell(row, 'Now', values(change.before));
        cell(row, 'Then', values(change.after));
        return row;
      }),
    );
    const more = changes.length > shownChanges ? ['… and ' + (changes.length - shownChanges) + ' more'] : [];
    items('plan-notes', [...more, ...notesOf(runs)].map(text => make('li', visible(text))));
    by('go').textContent = 'Clean ' + counted(changes.length, 'session');
    dialog.returnValue = '';
    dialog.addEventListener('close', () => done(dialog.returnValue === 'go'), {once: true});
    dialog.showModal();
    by('back').focus();
  });

const clean = async () => {
  const customer = by('customer').value.trim();
  say('Making the plan…');
  const planned = (await ask('GET', cleanupPath(customer))).runs;
  const count = changesOf(planned).filter(change => change.result === 'planned').length;
  if (count === 0) {
    const notes = notesOf(planned);
    say(['Nothing to clean' + (customer === '' ? '.' : ' for this customer.'), ...notes.map(visible)].join('\n'));
    return;
  }
  say('');
  if (!(await decide(planned, customer))) {
    say('Nothing was changed.');
    return;
  }
  say('Cleaning…');
  const runs = (await ask('POST', cleanupPath(customer))).runs;
  const wrong = sum(runs, 'failed') + sum(runs, 'unknown');
  const lines = [
    counted(sum(runs, 'applied'), 'session') + ' cancelled, ' + sum(runs, 'skipped') + ' skipped, ' +
      sum(runs, 'failed') + ' failed, ' + sum(runs, 'unknown') + ' unknown.',
    ...runs.filter(run => run.run).map(run => 'Run ' + visible(run.run) + ' (' + visible(run.check) + ')'),
    ...notesOf(runs).map(visible),
  ];
  const bad = wrong > 0 || runs.some(run => (run.faults || []).length > 0 || run.interrupted);
  say(lines.join('\n'), bad ? 'bad' : 'good');
  await check().catch(error => say([...lines, error.message].join('\n'), 'bad'));
};

by('form').addEventListener('submit', event => event.preventDefault());
by('check').addEventListener('click', guarded(async () => {
  say('Looking…');
  await check();
  say('Looked.');
}));
by('clean').addEventListener('click', guarded(clean));
by('back').addEventListener('click', () => by('plan').close(''));
by('go').addEventListener('click', () => by('plan').close('go'));
`;
