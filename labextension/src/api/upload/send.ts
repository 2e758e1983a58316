/** Sends a body and tells how much of it is out: the one thing `fetch` cannot. */
import { Problem, problemOf, type Transport } from '../client';

/** How requests reach the platform from where we are. */
export interface Way {
  /** The API's address without its last slash. */
  base: string;
  transport: Transport;
  /** Headers that let a request outside of `transport` in. Without them bodies are sent with no progress. */
  headers?: () => Record<string, string>;
}

/**
 * `PUT`s a body; `onSent` is told how many of its bytes are out. Refusals are thrown as `Problem`.
 *
 * `headers` go along when it is sent elsewhere, to an object store; ours then stay here.
 */
export async function put(
  way: Way,
  url: string,
  body: Blob,
  onSent: (bytes: number) => void,
  signal: AbortSignal,
  headers: Record<string, string> = {}
): Promise<Response> {
  const sent = isOurs(way, url) ? way.headers?.() : headers;
  const response = sent
    ? await byXhr(url, body, sent, onSent, signal)
    : await byTransport(way.transport, url, body, signal);
  if (!response.ok) {
    throw await problemOf(response);
  }
  onSent(body.size);
  return response;
}

/** Whether a URL leads to the platform itself. */
export function isOurs(way: Way, url: string): boolean {
  return new URL(url, location.href).href.startsWith(new URL(`${way.base}/`, location.href).href);
}

/**
 * Where to send what goes to a signed URL.
 *
 * The platform's own store signs URLs of its API, relative to the Hub's origin. A Lab may be on another origin than
 * the Hub, so they are reached through the door the Lab has to the API. Absolute URLs, of an object store elsewhere,
 * are taken as they are.
 */
export function throughBase(base: string, signed: string): string {
  const api = /^\/(?:.*\/)?services\/pumpkin\/api\/v1(\/objects\/.*)$/.exec(signed);
  return api?.[1] === undefined ? signed : base + api[1];
}

async function byTransport(transport: Transport, url: string, body: Blob, signal: AbortSignal): Promise<Response> {
  const headers = { 'Content-Type': 'application/octet-stream' };
  try {
    return await transport(new Request(url, { method: 'PUT', body, headers, signal }));
  } catch (error) {
    throw signal.aborted ? error : broken();
  }
}

function byXhr(
  url: string,
  body: Blob,
  headers: Record<string, string>,
  onSent: (bytes: number) => void,
  signal: AbortSignal
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    request.open('PUT', url);
    for (const [name, value] of Object.entries({ 'Content-Type': 'application/octet-stream', ...headers })) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = event => onSent(Math.min(event.loaded, body.size));
    request.onload = () => {
      const { status, statusText } = request;
      const content = [204, 205, 304].includes(status) ? null : request.responseText;
      resolve(new Response(content, { status, statusText }));
    };
    request.onerror = () => reject(broken());
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    request.onloadend = () => signal.removeEventListener('abort', abort);
    if (signal.aborted) {
      reject(new DOMException('aborted', 'AbortError'));
      return;
    }
    signal.addEventListener('abort', abort);
    request.send(body);
  });
}

function broken(): Problem {
  return new Problem('The connection broke.', 0, 'offline', '');
}

/** Whether trying again may help: the platform is away, busy, or has had enough for now. */
export function isPassing(error: unknown): boolean {
  return error instanceof Problem && [0, 429, 502, 503, 504].includes(error.status);
}
