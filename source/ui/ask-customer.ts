/** Asks the engine about one customer at a time. */
import type {Message} from '../state/messages.js';
import type {CustomerOptions, CustomerReport} from './customer.js';
import {errorOf} from './look.js';

type Ask = (id: string, options: CustomerOptions) => Promise<CustomerReport>;

/** `ask` gives up the question before it; `tell` gets every part of the answer, with the number of its question. */
export const createCustomerAsker = (engine: {customer?: Ask}, tell: (message: Message) => void) => {
  let asking = new AbortController();
  const ask = async (id: string, question: number): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const told = (report: CustomerReport, whole: boolean): void =>
      tell({type: 'customer', question, report, whole, now: Date.now()});
    try {
      const {signal} = asking;
      const report = await engine.customer?.(id, {signal, onPart: part => told(part, false)});
      if (report) told(report, true);
    } catch (thrown) {
      tell({type: 'customer-failed', question, error: errorOf(thrown), now: Date.now()});
    }
  };
  return {ask, stop: (): void => asking.abort()};
};
