/** Where the HTTP server listens, and who reaches it there. */
import {isIP, isIPv4, isIPv6} from 'node:net';
import {SesstuiError} from '../../errors.js';

export type Address = {host: string; port: number};

const loopback = '127.0.0.1';
const hostName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i;

const badAddress = (text: string, why: string): SesstuiError =>
  new SesstuiError(
    'usage',
    `--listen ${JSON.stringify(text)}: ${why}`,
    'For example --listen 127.0.0.1:9187, --listen [::1]:9187, or --listen :9187 for loopback.',
  );

const hostOf = (text: string, written: string): string => {
  if (written === '') return loopback;
  const inBrackets = /^\[(.*)\]$/.exec(written)?.[1];
  const isKnown =
    inBrackets === undefined
      ? isIPv4(written) || (hostName.test(written) && !/^[\d.]+$/.test(written))
      : isIPv6(inBrackets);
  if (!isKnown) throw badAddress(text, `${JSON.stringify(written)} is not a host or an address`);
  return inBrackets ?? written;
};

/**
 * The address that `--listen` names: `HOST:PORT`, where IPv6 stands in brackets; `:PORT` and a bare PORT mean
 * loopback, and port 0 any that is free. Throws `usage`.
 */
export const parseListen = (text: string): Address => {
  const [, written = '', digits] = /^(?:(.*):)?(\d{1,5})$/s.exec(text) ?? [];
  if (digits === undefined) throw badAddress(text, 'is not HOST:PORT');
  if (written.includes(':') && !written.startsWith('['))
    throw badAddress(text, 'an IPv6 address has to stand in brackets');
  const port = Number(digits);
  if (port > 65_535) throw badAddress(text, 'a port is at most 65535');
  return {host: hostOf(text, written), port};
};

/** Does only this machine reach what listens there? */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host === '::1' ||
  (isIPv4(plainAddress(host)) && plainAddress(host).startsWith('127.'));

/** An IPv4 address that came in an IPv6 one, as itself. */
const plainAddress = (address: string): string => /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? address;

/** Who can reach the server besides this machine, as a line of warning; null where nobody can. */
export const exposureWarning = ({host}: Address): string | null => {
  if (isLoopback(host)) return null;
  const reached =
    host === '0.0.0.0' || host === '::'
      ? 'whoever reaches any address of this machine'
      : `whoever reaches ${host} over the network`;
  return `--listen ${host}: ${reached} can read /metrics and /healthz, and with the token see and clean sessions; nothing is encrypted, so put a proxy with TLS in front of it`;
};

/** An address as it stands in a URL. */
export const urlOf = ({host, port}: Address): string =>
  `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/**
 * What limits count by: an IPv4 address, or the /64 network of an IPv6 one, of which a single machine has all
 * addresses.
 */
export const limitKey = (address: string): string => {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('%')[0]!.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
};

/**
 * May a request with this Host header be served? On loopback only under a name of loopback with the server's port:
 * a page of another site whose name was made to point here (DNS rebinding) brings its own name along.
 */
export const isOurHost = (header: string | undefined, {host, port}: Address): boolean => {
  if (!isLoopback(host)) return true;
  const names = new Set(['localhost', '127.0.0.1', '[::1]', isIP(host) === 6 ? `[${host}]` : host]);
  return [...names].some(
    name => header?.toLowerCase() === `${name}:${port}` || (port === 80 && header === name),
  );
};
