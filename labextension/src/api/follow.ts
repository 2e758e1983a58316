/**
 * Server-sent events that resume where they broke off, all of a page's over one connection.
 *
 * Browsers keep six HTTP/1.1 connections to one place for all their tabs together. A page that is seen holds one of
 * them for streams, however many it follows; one that is hidden holds none.
 */
import { createEventSource, type EventSourceClient } from 'eventsource-client';

import { problemOf, type Transport } from './client';

/** Views come and go together: what they follow is asked for once they have settled. */
const SETTLED_MS = 20;
/** The server takes no more in one request. */
const MOST = 64;
/** The server says something every 15 seconds. */
const SILENCE_MS = 40_000;

export interface Message {
  id: string;
  event: string;
  data: string;
}

export interface Following {
  /** Called with what arrived since the last call, at most once per frame. */
  onMessages(messages: Message[]): void;
  /** Called when the stream has ended for good, or was refused: there is nothing more to come. */
  onEnd(): void;
  /** Called with false when the connection is lost, with true when it is back. */
  onLive(live: boolean): void;
}

/** The platform as streams are asked of it; every shell is one. */
export interface Place {
  base: string;
  transport: Transport;
}

interface Stream {
  path: string;
  /** Of the last event that arrived. */
  lastId: string;
  following: Following;
  pending: Message[];
}

/**
 * Follows the stream at `path`, below the API's address, until its end or until the returned function is called.
 *
 * The server says `end` when a stream is complete; anything else that ends a connection is a break, after which the
 * stream goes on behind the last id seen.
 */
export function follow(place: Place, path: string, following: Following, lastId = ''): () => void {
  let connection = connections.get(place.transport);
  if (!connection) {
    connection = new Connection(place);
    connections.set(place.transport, connection);
  }
  return connection.add({ path, lastId, following, pending: [] });
}

const connections = new WeakMap<Transport, Connection>();

class Connection {
  private readonly streams = new Set<Stream>();
  private source: EventSourceClient | null = null;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private frame = 0;

  constructor(private readonly place: Place) {
    document.addEventListener('visibilitychange', this.changed);
    window.addEventListener('online', this.changed);
  }

  add(stream: Stream): () => void {
    this.streams.add(stream);
    this.changed();
    return () => {
      if (this.streams.delete(stream)) {
        this.changed();
      }
    };
  }

  private readonly changed = (): void => {
    clearTimeout(this.settling);
    this.settling = setTimeout(this.open, SETTLED_MS);
  };

  /** Asks anew for all there is to follow, from where each stream stands. */
  private readonly open = (): void => {
    this.source?.close();
    this.source = null;
    clearTimeout(this.silence);
    if (this.streams.size === 0 || document.visibilityState === 'hidden') {
      return;
    }
    // In the order of the request; chosen for each one, since it is asked again after a break.
    let asked: Stream[] = [];
    const source: EventSourceClient = createEventSource({
      url: `${this.place.base}/stream`,
      fetch: async (url, init) => {
        asked = [...this.streams].slice(-MOST);
        const query = new URLSearchParams(asked.map(({ path, lastId }) => ['follow', `${path}#${lastId}`]));
        const signal = init?.signal as AbortSignal | undefined;
        const headers = { Accept: 'text/event-stream' };
        const response = await this.place.transport(
          new Request(`${String(url)}?${query.toString()}`, { signal, headers })
        );
        if (!response.ok) {
          throw await problemOf(response);
        }
        return response;
      },
      onConnect: () => {
        this.heard();
        asked.forEach(stream => stream.following.onLive(true));
      },
      onScheduleReconnect: () => this.streams.forEach(stream => stream.following.onLive(false)),
      onComment: this.heard,
      onMessage: ({ id = '', event = 'message', data }) => {
        this.heard();
        const [number = '', own = ''] = id.split(' ');
        const stream = asked[Number(number)];
        // What was on its way when this connection was given up is sent again by the next one.
        if (stream && source === this.source && this.streams.has(stream)) {
          this.take(stream, { id: own, event, data });
        }
      }
    });
    this.source = source;
    this.heard();
  };

  /** A connection that has died without a word is opened again. */
  private readonly heard = (): void => {
    clearTimeout(this.silence);
    this.silence = setTimeout(this.open, SILENCE_MS);
  };

  private take(stream: Stream, message: Message): void {
    if (message.event === 'end' || message.event === 'refused') {
      this.streams.delete(stream);
      deliver(stream);
      stream.following.onEnd();
      if (this.streams.size === 0) {
        this.open(); // which closes it
      }
      return;
    }
    stream.lastId = message.id || stream.lastId;
    stream.pending.push(message);
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.streams.forEach(deliver);
    });
  }
}

function deliver(stream: Stream): void {
  const messages = stream.pending;
  stream.pending = [];
  if (messages.length > 0) {
    stream.following.onMessages(messages);
  }
}
