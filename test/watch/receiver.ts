/** Somebody who receives alerts: a real HTTP server that answers as it is told to. */
import {createServer, type IncomingHttpHeaders, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Alert} from '../../source/watch/alerts/types.js';

export type Post = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  body: Alert & {id: string};
  atMs: number;
};

export type Answering = (post: Post, response: ServerResponse, number: number) => void;

export const taking: Answering = (_, response) => void response.writeHead(204).end();
export const answering =
  (status: number, headers: Record<string, string> = {}, text = ''): Answering =>
  (_, response) =>
    void response.writeHead(status, headers).end(text);

export type Receiver = {
  url: string;
  posts: Post[];
  answer: Answering;
  /** Comes when what was posted fulfils it. */
  until: (is: (posts: Post[]) => boolean) => Promise<void>;
  close: () => Promise<void>;
};

export const openReceiver = async (first: Answering = taking, port = 0): Promise<Receiver> => {
  const waiting = new Set<() => void>();
  const receiver: Receiver = {
    url: '',
    posts: [],
    answer: first,
    until: is =>
      new Promise(done => {
        const look = (): void => {
          if (!is(receiver.posts)) return;
          waiting.delete(look);
          done();
        };
        waiting.add(look);
        look();
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise(done => server.close(done));
    },
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const {method = '', url: path = '', headers} = request;
    const post = {
      method,
      path,
      headers,
      text,
      body: JSON.parse(text) as Post['body'],
      atMs: performance.now(),
    };
    receiver.posts.push(post);
    receiver.answer(post, response, receiver.posts.length);
    for (const look of waiting) look();
  });
  await new Promise<void>(done => server.listen(port, '127.0.0.1', done));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/T0123/B0456/abcdefghijklmnopqrstuvwx`;
  return receiver;
};
