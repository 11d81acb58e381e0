/** PostgreSQL's messages: a type of one letter, a length that counts itself, and a body. */

const PARAMETER_NAMES = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'DateStyle',
  'TimeZone',
  'IntervalStyle',
  'integer_datetimes',
  'standard_conforming_strings',
  'is_superuser',
  'session_authorization',
];

export type Message = {type: string; bytes: Buffer};

export const bodyOf = ({bytes}: Message): Buffer => bytes.subarray(5);

/** Cuts complete messages off a buffer; `rest` is what isn't complete yet. */
export const split = (buffer: Buffer): {messages: Message[]; rest: Buffer} => {
  const messages: Message[] = [];
  let at = 0;
  while (buffer.length - at >= 5) {
    const end = at + 1 + buffer.readInt32BE(at + 1);
    if (end < at + 5) throw new Error('a message with an impossible length');
    if (end > buffer.length) break;
    messages.push({type: String.fromCharCode(buffer[at]!), bytes: buffer.subarray(at, end)});
    at = end;
  }
  return {messages, rest: buffer.subarray(at)};
};

export const message = (type: string, ...parts: (string | Buffer)[]): Message => {
  const body = Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(type);
  bytes.writeInt32BE(4 + body.length, 1);
  body.copy(bytes, 5);
  return {type, bytes};
};

const int32 = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) buffer.writeInt32BE(value, 4 * i);
  return buffer;
};

export const query = (sql: string): Message => message('Q', sql);
export const sync = (): Message => message('S');
export const closeStatement = (name: string): Message => message('C', Buffer.from('S'), name);
export const ready = (): Message => message('Z', Buffer.from('I'));

export const errorResponse = (severity: 'ERROR' | 'FATAL', code: string, text: string): Message =>
  message('E', `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, Buffer.from([0]));

/** What follows a client's start-up message: it is let in, told the server's parameters, and may begin. */
export const welcome = (parameters: Map<string, string>, process: number, secret: number): Buffer =>
  Buffer.concat(
    [
      message('R', int32(0)),
      ...[...parameters].map(([name, value]) => message('S', name, value)),
      message('K', int32(process, secret)),
      ready(),
    ].map(({bytes}) => bytes),
  );

export const PARAMETERS_QUERY = `select ${PARAMETER_NAMES.map(name => `'${name}', current_setting('${name}')`).join(', ')}`;

/** The names and values in a start-up message. */
export const startupParameters = (bytes: Buffer): Map<string, string> => {
  const texts = bytes.toString('utf8', 8).split('\0');
  const parameters = new Map<string, string>();
  for (let i = 0; i + 1 < texts.length && texts[i] !== ''; i += 2) parameters.set(texts[i]!, texts[i + 1]!);
  return parameters;
};

/** The rows in an answer, each a list of texts (null for NULL). */
export const rowsIn = (reply: Buffer): (string | null)[][] =>
  split(reply)
    .messages.filter(({type}) => type === 'D')
    .map(row => {
      const body = bodyOf(row);
      const values: (string | null)[] = [];
      let at = 2;
      for (let i = body.readInt16BE(0); i > 0; i--) {
        const length = body.readInt32BE(at);
        at += 4;
        values.push(length < 0 ? null : body.toString('utf8', at, at + length));
        at += Math.max(0, length);
      }
      return values;
    });

/** An error's fields by their letter (C is its code, M its text), or undefined where an answer has none. */
export const errorIn = (reply: Buffer): Map<string, string> | undefined => {
  const error = split(reply).messages.find(({type}) => type === 'E');
  if (!error) return undefined;
  const fields = bodyOf(error).toString('utf8').split('\0');
  return new Map(fields.filter(field => field !== '').map(field => [field[0]!, field.slice(1)]));
};

/** The transaction status that an answer ends with: I (none), T, E (failed), or undefined while it goes on. */
export const statusIn = (messages: Message[]): string | undefined => {
  const last = messages.findLast(({type}) => type === 'Z');
  return last && String.fromCharCode(bodyOf(last)[0]!);
};

/** The commands that an answer says were completed. */
export const tagsIn = (messages: Message[]): string[] =>
  messages.filter(({type}) => type === 'C').map(tag => bodyOf(tag).toString('utf8').slice(0, -1));
