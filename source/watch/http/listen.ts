/** Listening, with errors that say what is wrong with the address. */
import type {Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {SesstuiError} from '../../errors.js';
import type {Address} from './address.js';

const listenErrors: Record<string, string> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'the name has no address',
};

/** Where it listens then; throws `usage` where it can't. */
export const listen = async (server: Server, {host, port}: Address): Promise<Address> => {
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen({host, port}, done);
  }).catch((error: NodeJS.ErrnoException) => {
    throw new SesstuiError(
      'usage',
      `can not listen on ${host} port ${port}: ${listenErrors[error.code ?? ''] ?? error.code ?? 'unknown'}`,
      'Name another address or port with --listen HOST:PORT; port 0 takes any that is free.',
    );
  });
  const bound = server.address() as AddressInfo;
  return {host: host === 'localhost' ? host : bound.address, port: bound.port};
};
