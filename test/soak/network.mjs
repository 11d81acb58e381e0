// A receiver of webhooks, and a way to a store that can be closed for a while.
import {once} from 'node:events';
import {createServer as createHttp} from 'node:http';
import {connect, createServer} from 'node:net';

const listening = async server => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};

/** Keeps every message by the path that it was posted to, each id once. */
export const openReceiver = async () => {
  const posted = new Map();
  const ids = new Set();
  let count = 0;
  const server = createHttp((request, response) => {
    let body = '';
    request.on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      const id = `${request.url} ${request.headers['webhook-id']}`;
      const isNew = !ids.has(id);
      ids.add(id);
      count++;
      if (isNew) posted.set(request.url, [...(posted.get(request.url) ?? []), JSON.parse(body)]);
      response.end();
    });
  });
  const port = await listening(server);
  return {
    url: path => `http://127.0.0.1:${port}${path}`,
    posted: path => posted.get(path) ?? [],
    repeated: () => count - ids.size,
    close: () => server.close(),
  };
};

/** Passes on to a port of this machine; `shut` hangs up and lets nobody in until `open`. */
export const openGate = async to => {
  let isShut = false;
  const sockets = new Set();
  const server = createServer(socket => {
    if (isShut) {
      socket.destroy();
      return;
    }
    const onward = connect(to, '127.0.0.1');
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        socket.destroy();
        onward.destroy();
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  const port = await listening(server);
  return {
    port,
    shut: () => {
      isShut = true;
      for (const socket of sockets) socket.destroy();
    },
    open: () => {
      isShut = false;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};
