/** What a request asks for, read strictly: a misspelt parameter must not clean everybody's sessions. */
import type {IncomingMessage} from 'node:http';
import {type Answer, refusal} from './answers.js';
import type {Limits} from './limits.js';

export type Target = {path: string; query: string};

const longestCustomer = 512;

/** The path and the query as they were written; an answer for a target that is not a path or too long. */
export const targetOf = (url: string, {urlCharacters}: Limits): Target | Answer => {
  if (url.length > urlCharacters) return refusal(414, 'usage', 'the address is too long');
  if (!url.startsWith('/')) return refusal(400, 'usage', 'the address has to be a path');
  const mark = url.indexOf('?');
  return mark < 0 ? {path: url, query: ''} : {path: url.slice(0, mark), query: url.slice(mark + 1)};
};

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
};

/** The `customer` of a query, if it has one; an answer for anything else in it. */
export const customerOf = (query: string): {customer?: string} | Answer => {
  let customer: string | undefined;
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name, value = ''] = [pair.split('=', 1)[0]!, pair.slice(pair.indexOf('=') + 1)].map(decoded);
    if (name !== 'customer')
      return refusal(400, 'usage', 'the only parameter is customer', 'For example ?customer=customer-7');
    if (customer !== undefined) return refusal(400, 'usage', 'customer is there twice');
    if (value === null || value.includes('\ufffd'))
      return refusal(400, 'usage', 'customer is not encoded as UTF-8', 'Percent-encode it as a URL does.');
    if (!pair.includes('=') || value.trim() === '' || value.includes('\0') || value.length > longestCustomer)
      return refusal(400, 'usage', `customer has to be 1 to ${longestCustomer} characters`);
    customer = value;
  }
  return {customer};
};

/** Whether there is a body to come. */
export const hasBody = ({headers}: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;

/**
 * Reads the body; an answer where it is too long, or is anything but nothing or `{}`: what a caller writes into a
 * body, a customer for instance, must not be passed over in silence.
 */
export const refuseBody = async (request: IncomingMessage, {bodyBytes}: Limits): Promise<Answer | null> => {
  const tooLong = refusal(413, 'usage', `a body of more than ${bodyBytes} bytes is not taken`);
  if (Number(request.headers['content-length'] ?? 0) > bodyBytes) return tooLong;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytes) return tooLong;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  return text === '' || /^\{\s*\}$/.test(text)
    ? null
    : refusal(400, 'usage', 'no body is taken', 'A customer goes into the address: ?customer=ID');
};
