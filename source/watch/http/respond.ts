/** From a request to its answer, and what is said to a connection that brings none. */
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import {asSesstuiError} from '../../errors.js';
import {type Access, isCrossSite} from './access.js';
import {type Address, isOurHost, urlOf} from './address.js';
import {type Answer, errorAnswer, refusal, securityHeaders, statusOf} from './answers.js';
import type {Limits} from './limits.js';
import {hasBody, refuseBody, targetOf} from './request.js';
import type {Route} from './routes.js';

export type Serving = {
  routes: Map<string, Route>;
  access: Access;
  limits: Limits;
  address: Address;
  redact: (text: string) => string;
  isClosing: boolean;
};

/** Everything that is looked at before a request is carried out, the cheapest first. */
const answerTo = async (request: IncomingMessage, serving: Serving): Promise<Answer> => {
  const {routes, access, limits, address} = serving;
  const {headers, method = 'GET'} = request;
  const from = request.socket.remoteAddress ?? 'unknown';
  const tooMany = await access.count(from);
  if (tooMany) return tooMany;
  if (!isOurHost(headers.host, address))
    return refusal(
      421,
      'refused',
      'this name is not served',
      `Listening on loopback it is only ${urlOf(address)}, or localhost with that port.`,
    );
  const target = targetOf(request.url ?? '', limits);
  if ('status' in target) return target;
  const route = routes.get(target.path);
  if (!route)
    return refusal(404, 'not-found', 'there is nothing here', `There are ${[...routes.keys()].join(', ')}.`);
  const handler = method === 'HEAD' ? route.methods.GET : route.methods[method as 'GET'];
  if (!Object.hasOwn(route.methods, method === 'HEAD' ? 'GET' : method) || !handler) {
    const allowed = ['GET', 'HEAD', ...(route.methods.POST ? ['POST'] : [])].join(', ');
    return refusal(405, 'usage', 'this method is not served here', `It takes ${allowed}.`, {Allow: allowed});
  }
  if (method === 'POST' && isCrossSite(headers))
    return refusal(
      403,
      'refused',
      'another site may not ask for this',
      'Use the page of this server, or curl.',
    );
  const stranger = route.token ? await access.refuseToken(headers, from) : null;
  if (stranger) return stranger;
  const badBody = await refuseBody(request, limits);
  if (badBody) return badBody;
  return handler({query: target.query, address: from});
};

const faultAnswer = (error: unknown, redact: (text: string) => string): Answer => {
  const {code, message, hint} = asSesstuiError(error);
  return errorAnswer(statusOf(code), {code, message: redact(message), hint: redact(hint)});
};

/** Answers a request; never throws. */
export const respond = async (
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving,
): Promise<void> => {
  const answer = await answerTo(request, serving).catch(error => faultAnswer(error, serving.redact));
  if (response.destroyed) return;
  const {status, type, body, headers = {}} = answer;
  // What was not read to its end can't be told from the request after it.
  if (serving.isClosing || (hasBody(request) && !request.complete)) response.shouldKeepAlive = false;
  response.setTimeout(serving.limits.answerMs, () => request.socket.destroy());
  response.writeHead(status, {
    ...securityHeaders,
    ...headers,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
};

const brokenRequests: Record<string, [status: string, message: string]> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long'],
};

/** A request that could not be read as HTTP, or not in time. */
export const hangUp = (error: NodeJS.ErrnoException, socket: Socket): void => {
  const [status, message] = brokenRequests[error.code ?? ''] ?? ['400 Bad Request', 'this is not HTTP'];
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const {body, type} = refusal(400, 'usage', message);
  const headers = {
    ...securityHeaders,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${[status, ...lines].join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
};
