import {type Doc, encode, isDocument} from './mongodb-values.js';

/** A document that goes into an answer as the bytes it is stored as. */
export class RawDocument {
  constructor(readonly bytes: Uint8Array) {}
}

const DOCUMENT = 3;
const ARRAY = 4;

/** Encodes an answer; where a RawDocument stands, or an array of them, its bytes go in as they are. */
export const encodeReply = (reply: Doc): Uint8Array => framed(Object.entries(reply).map(encodeField));

const encodeField = ([name, value]: [string, unknown]): Uint8Array => {
  if (value instanceof RawDocument) return element(DOCUMENT, name, value.bytes);
  if (Array.isArray(value) && value[0] instanceof RawDocument)
    return element(ARRAY, name, framed(value.map((row, i) => element(DOCUMENT, String(i), row.bytes))));
  if (isDocument(value)) return element(DOCUMENT, name, encodeReply(value));
  return encode({[name]: value}).subarray(4, -1);
};

const element = (type: number, name: string, content: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`), content]);

const framed = (elements: Uint8Array[]): Uint8Array => {
  const body = Buffer.concat(elements);
  const result = Buffer.alloc(body.length + 5);
  result.writeInt32LE(result.length);
  body.copy(result, 4);
  return result;
};
