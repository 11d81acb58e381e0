/** One customer at a time is asked about, and every part of an answer carries the number of its question. */
import {expect, test} from 'vitest';
import type {Message} from '../../source/state/messages.js';
import {createCustomerAsker} from '../../source/ui/ask-customer.js';
import {copySequence} from '../../source/ui/clipboard.js';
import type {CustomerOptions, CustomerReport} from '../../source/ui/customer.js';
import {blockedReport, nobody, partReport} from '../support/fake-customer.js';

type Question = {
  id: string;
  options: CustomerOptions;
  answer: (report: CustomerReport) => void;
  fail: (error: unknown) => void;
};

const asker = () => {
  const questions: Question[] = [];
  const told: Message[] = [];
  const engine = {
    customer: (id: string, options: CustomerOptions) =>
      new Promise<CustomerReport>((answer, fail) => questions.push({id, options, answer, fail})),
  };
  return {...createCustomerAsker(engine, message => told.push(message)), questions, told};
};

test('the parts come as they come, and then the whole', async () => {
  const {ask, questions, told} = asker();
  const asked = ask('customer-7', 3);
  questions[0]!.options.onPart?.(partReport);
  questions[0]!.answer(blockedReport);
  await asked;
  expect(told).toEqual([
    {type: 'customer', question: 3, report: partReport, whole: false, now: expect.any(Number)},
    {type: 'customer', question: 3, report: blockedReport, whole: true, now: expect.any(Number)},
  ]);
});

test('the next question gives up the one before, and leaving gives up the last', async () => {
  const {ask, stop, questions, told} = asker();
  const first = ask('customer-7', 1);
  const second = ask('nobody', 2);
  expect(questions.map(({options}) => options.signal?.aborted)).toEqual([true, false]);
  questions[0]!.fail(questions[0]!.options.signal?.reason);
  questions[1]!.answer(nobody);
  await Promise.all([first, second]);
  expect(told).toMatchObject([
    {type: 'customer-failed', question: 1},
    {type: 'customer', question: 2, report: nobody},
  ]);
  stop();
  expect(questions[1]!.options.signal?.aborted).toBe(true);
});

test('what is copied holds no control character but the line breaks of a text that has lines', () => {
  const of = (text: string, what?: string): string =>
    Buffer.from(copySequence(text, what).sequence.slice(7, -1), 'base64').toString();
  expect(of('id\x1b')).not.toMatch(/\p{Control}/u);
  expect(of('a\nb')).not.toContain('\n');
  expect(of('a\r\n\x1b[2Jb', 'the report').split('\n')).toHaveLength(2);
  expect(of('a\r\n\x1b[2Jb', 'the report').replace('\n', '')).not.toMatch(/\p{Control}/u);
  expect(copySequence('a\nb', 'the report').told).toBe('Copied: the report, 2 lines');
});
