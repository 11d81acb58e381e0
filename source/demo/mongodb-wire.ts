import {encodeReply} from './mongodb-reply.js';
import {type Doc, decode} from './mongodb-values.js';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const MAX_MESSAGE_BYTES = 48_000_000;
const HEADER_BYTES = 16;

/** One command as it came: its document, and the lists of documents that came beside it, not yet decoded. */
export type Request = {
  id: number;
  command: Doc;
  sequences: Map<string, Uint8Array[]>;
  /** OP_QUERY, which only says hello these days. */
  isLegacy: boolean;
  wantsReply: boolean;
};

/** Cuts a connection's bytes into requests; throws on anything that isn't MongoDB's protocol. */
export const createParser = (): ((chunk: Uint8Array) => Request[]) => {
  let chunks: Uint8Array[] = [];
  let length = 0;
  let wanted = 4;
  return chunk => {
    chunks.push(chunk);
    length += chunk.length;
    const requests: Request[] = [];
    // A long message comes in many pieces, which are put together once, when the last one is there.
    while (length >= wanted) {
      const buffer =
        chunks.length === 1
          ? Buffer.from(chunks[0]!.buffer, chunks[0]!.byteOffset, length)
          : Buffer.concat(chunks, length);
      const size = buffer.readInt32LE(0);
      if (size < HEADER_BYTES || size > MAX_MESSAGE_BYTES) throw new Error(`a message of ${size} bytes`);
      wanted = length < size ? size : 4;
      chunks = [buffer];
      if (length < size) break;
      requests.push(parse(buffer.subarray(0, size)));
      chunks = [buffer.subarray(size)];
      length -= size;
    }
    return requests;
  };
};

const parse = (message: Buffer): Request => {
  const id = message.readInt32LE(4);
  const opcode = message.readInt32LE(12);
  if (opcode === OP_MSG) return parseMessage(id, message);
  if (opcode === OP_QUERY) return parseQuery(id, message);
  throw new Error(`the opcode ${opcode} is not supported`);
};

const parseMessage = (id: number, message: Buffer): Request => {
  const flags = message.readUInt32LE(HEADER_BYTES);
  const end = flags & CHECKSUM_PRESENT ? message.length - 4 : message.length;
  let at = HEADER_BYTES + 4;
  let body: Uint8Array | undefined;
  const sequences = new Map<string, Uint8Array[]>();
  while (at < end) {
    const kind = message[at]!;
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (kind === 0) body = section;
    else if (kind === 1) {
      const nameEnd = section.indexOf(0, 4);
      sequences.set(section.toString('utf8', 4, nameEnd), documentsIn(section.subarray(nameEnd + 1)));
    } else throw new Error(`a section of kind ${kind}`);
    at += 1 + size;
  }
  if (!body) throw new Error('a message without a body');
  return {id, command: decode(body), sequences, isLegacy: false, wantsReply: !(flags & MORE_TO_COME)};
};

const documentsIn = (bytes: Buffer): Uint8Array[] => {
  const documents: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readInt32LE(at);
    if (size < 5 || at + size > bytes.length) throw new Error('a document that is cut off');
    documents.push(bytes.subarray(at, at + size));
    at += size;
  }
  return documents;
};

const parseQuery = (id: number, message: Buffer): Request => {
  const start = HEADER_BYTES + 4;
  const nameEnd = message.indexOf(0, start);
  const namespace = message.toString('utf8', start, nameEnd);
  if (!namespace.endsWith('.$cmd')) throw new Error('OP_QUERY on a collection is not supported');
  const query = decode(message.subarray(nameEnd + 1 + 8));
  const command = {...query, $db: namespace.slice(0, -'.$cmd'.length)};
  return {id, command, sequences: new Map(), isLegacy: true, wantsReply: true};
};

/** The bytes that answer a request. */
export const answer = (request: Request, reply: Doc): Uint8Array => {
  const body = encodeReply(reply);
  const prefix = request.isLegacy ? legacyPrefix() : Buffer.alloc(5);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(HEADER_BYTES + prefix.length + body.length, 0);
  header.writeInt32LE(request.id, 8);
  header.writeInt32LE(request.isLegacy ? OP_REPLY : OP_MSG, 12);
  return Buffer.concat([header, prefix, body]);
};

/** Flags (await capable), cursor id, starting point, and one document. */
const legacyPrefix = (): Buffer => {
  const prefix = Buffer.alloc(20);
  prefix.writeInt32LE(8, 0);
  prefix.writeInt32LE(1, 16);
  return prefix;
};
