/** The platform's API as typed calls: `api.GET('/workloads', …)`. Every refusal is thrown as a `Problem`. */
import createClient, { type Client } from 'openapi-fetch';

import type { components, paths } from './schema';
import { newKey } from './key';

export type Schemas = components['schemas'];
export type Api = Client<paths>;

/** Sends one request the way the shell has to: with its credentials and its XSRF token. */
export type Transport = (request: Request) => Promise<Response>;

/** One value that was refused: the JSON path of it in the request, and why. */
export interface FieldError {
  field: string;
  message: string;
}

/** What the platform refused, in its own words (RFC 9457); `field` names what to change, `errors` all that is wrong. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly reason: string,
    readonly field: string,
    readonly errors: FieldError[] = []
  ) {
    super(message);
  }
}

interface Document {
  detail?: string;
  title?: string;
  reason?: string;
  errors?: FieldError[];
}

/** Returns a refusal's problem; one without a document (a proxy's, say) gets its status line. */
export async function problemOf(response: Response): Promise<Problem> {
  const document = (await response
    .clone()
    .json()
    .catch(() => ({}))) as Document;
  const words = document.detail ?? document.title ?? `The platform answered ${response.status} ${response.statusText}.`;
  return new Problem(words, response.status, document.reason ?? '', document.errors?.[0]?.field ?? '', document.errors);
}

/** `base` is the API's address without its last slash. */
export function createApi(base: string, transport: Transport): Api {
  const api = createClient<paths>({ baseUrl: base, fetch: transport });
  api.use({
    onRequest({ request }) {
      // A call that is repeated by hand sends its own key; all others are made once.
      if (request.method === 'POST' && !request.headers.has('Idempotency-Key')) {
        request.headers.set('Idempotency-Key', newKey());
      }
      return request;
    },
    async onResponse({ response }) {
      if (!response.ok) {
        throw await problemOf(response);
      }
    },
    onError() {
      return new Problem('The platform does not answer: what you see may be old. It is asked again.', 0, 'offline', '');
    }
  });
  return api;
}

/** Returns what a call answered; it is there, since refusals are thrown. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}
