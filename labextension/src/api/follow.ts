/** Server-sent events that resume where they broke off. */
import { createEventSource } from 'eventsource-client';

import type { Transport } from './client';

export interface Message {
  id: string;
  event: string;
  data: string;
}

export interface Following {
  /** Called with what arrived since the last call, at most once per frame. */
  onMessages(messages: Message[]): void;
  /** Called when the stream has ended for good: there is nothing more to come. */
  onEnd(): void;
  /** Called with false when the connection is lost, with true when it is back. */
  onLive(live: boolean): void;
}

/**
 * Follows `url` until its end or until the returned function is called.
 *
 * The server says `end` when a stream is complete; anything else that ends a connection is a break, after which the
 * stream goes on behind the last id seen.
 */
export function follow(url: string, transport: Transport, following: Following, lastId?: string): () => void {
  let pending: Message[] = [];
  let frame = 0;
  const flush = (): void => {
    frame = 0;
    const messages = pending;
    pending = [];
    if (messages.length > 0) {
      following.onMessages(messages);
    }
  };
  const source = createEventSource({
    url,
    initialLastEventId: lastId,
    fetch: async (address, init) => {
      const request = new Request(String(address), init);
      return transport(request);
    },
    onConnect: () => following.onLive(true),
    onDisconnect: () => following.onLive(false),
    onMessage: ({ id, event, data }) => {
      if (event === 'end') {
        source.close();
        cancelAnimationFrame(frame);
        flush();
        following.onEnd();
        return;
      }
      pending.push({ id: id ?? '', event: event ?? 'message', data });
      frame ||= requestAnimationFrame(flush);
    }
  });
  return () => {
    cancelAnimationFrame(frame);
    source.close();
  };
}
