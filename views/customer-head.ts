/** The two lines of the head while a customer is open: who it is, and which stores have answered. */
import {storeOf} from '../source/state/customer.js';
import type {State} from '../source/state/state.js';
import type {CheckError} from '../source/types.js';
import {ago, duration} from './format.js';
import {type Line, lineWidth, type Span, type Style, span, spread} from './paint.js';
import {symbols} from './symbols.js';

/** A store that is asked again is not called waiting before this: most have answered by then. */
const SLOW_MS = 2000;

const lookedText = ({customer, now, refreshMs}: State): string => {
  if (!customer) return '';
  const looked = customer.answeredAt === null ? 'looking…' : `looked ${ago(customer.answeredAt, now)}`;
  return customer.following ? `following every ${duration(refreshMs / 1000)}, ${looked}` : looked;
};

/** Who it is, and when the stores were looked at. */
export const customerLine = (state: State, width: number): Line => {
  const {customer} = state;
  if (customer === null) return [];
  const known = customer.report?.known ?? [];
  return spread(
    [
      span(`Customer ${customer.id}`, 'bold'),
      known.length > 0 ? span(`  also ${known.join(', ')}`, 'dim') : '',
    ],
    [span(` ${lookedText(state)}`, 'dim')],
    width,
  );
};

const failedText = ({code}: CheckError): string =>
  code === 'unreachable' ? 'down' : code === 'timeout' ? 'too slow' : code;

/** Each store and its answer: `rides ✔  chat … waiting  kite ✖ down`; the signs alone where there is no room for the words. */
export const answersLine = (state: State, width: number): Line => {
  const line = answerSpans(state, true);
  return lineWidth(line) <= width + 2 ? line : answerSpans(state, false);
};

const answerSpans = ({customer, stores, now}: State, words: boolean): Line => {
  if (customer === null) return [];
  const isFirst = customer.answeredAt === null;
  const isSlow = customer.looking && (isFirst || now - customer.askedAt >= SLOW_MS);
  const sign = (symbol: string, word: string, style: Style): Span =>
    span(`${symbol}${words && word !== '' ? ` ${word}` : ''}  `, style);
  return stores.flatMap(({store}): Span[] => {
    const awaited = customer.waiting.includes(store) || (customer.report === null && !customer.error);
    const failed = customer.report?.errors.find(({check}) => storeOf(check) === store);
    if (awaited && isSlow) return [`${store} `, sign(symbols.pending, 'waiting', 'dim')];
    if (failed) return [`${store} `, sign(symbols.bad, failedText(failed.error), 'bad')];
    return customer.report === null ? [] : [`${store} `, sign(symbols.good, '', 'good')];
  });
};
