/** Brings a replica's log into its store: the end first, then what is written, and meanwhile what is before it. */
import { problemOf } from '../../api/client';
import { follow, type Message, type Place } from '../../api/follow';
import { LogStore, wholeCharacters } from './logStore';

/** What is read before anything is shown. */
const TAIL = 256 << 10;
const PIECE = 2 << 20;
/** Earlier parts are read unasked up to so much. */
export const UNASKED = 32 << 20;
const encoder = new TextEncoder();

export interface Source {
  place: Place;
  /** The log's path below the API's address, without a query. */
  path: string;
  /** An earlier attempt; null for the last one. */
  attempt: number | null;
}

export type FeedState = 'loading' | 'following' | 'broken' | 'ended';

export class LogFeed {
  store = new LogStore();
  state: FeedState = 'loading';
  error: Error | null = null;
  /** Changes whenever anything else does. */
  version = 0;
  private readonly listeners = new Set<() => void>();
  private paused = new AbortController();
  private unfollow: (() => void) | null = null;
  private end = -1;
  private wanted = UNASKED;
  /** Of the resumption that reads earlier pieces at present. */
  private filling: AbortSignal | null = null;

  constructor(
    private readonly source: Source,
    private live: boolean
  ) {}

  /** For React: calls `listener` after changes. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Reads the end of the log, then follows it. Called again, it goes on where it was left. */
  resume = async (): Promise<void> => {
    const { signal } = (this.paused = new AbortController());
    try {
      this.error = null;
      if (this.end < 0) {
        const { bytes, offset } = await this.read(-TAIL, TAIL, signal);
        signal.throwIfAborted();
        const whole = wholeCharacters(bytes);
        this.store = new LogStore(offset);
        this.store.append(bytes.subarray(0, whole));
        this.end = offset + whole;
      }
      this.follow();
      await this.fill(signal);
    } catch (error) {
      this.fail(error, signal);
    }
  };

  /** Gives its connections back, keeping what it has. */
  pause = (): void => {
    this.unfollow?.();
    this.unfollow = null;
    this.paused.abort();
  };

  /** Reads so many bytes more of what is before. */
  more = (bytes: number): void => {
    this.wanted = this.store.bytes + bytes;
    const { signal } = this.paused;
    this.fill(signal).catch((error: unknown) => this.fail(error, signal));
  };

  private follow(): void {
    if (!this.live || this.unfollow) {
      this.tell(this.live ? 'following' : 'ended');
      return;
    }
    this.tell('following');
    this.unfollow = follow(
      this.source.place,
      `${this.source.path}/stream?${this.query({ offset: this.end })}`,
      {
        onMessages: messages => this.take(messages),
        onEnd: () => {
          this.live = false;
          this.tell('ended');
        },
        onLive: connected => this.tell(!this.live ? 'ended' : connected ? 'following' : 'broken')
      },
      String(this.end)
    );
  }

  private take(messages: Message[]): void {
    for (const { data } of messages) {
      this.store.append(encoder.encode((JSON.parse(data) as { text: string }).text));
    }
    this.end = Number(messages.at(-1)?.id ?? this.end);
    this.tell('following');
  }

  /** Reads earlier pieces until there are as many as wanted; a line as long as all of them is read to its start. */
  private async fill(signal: AbortSignal): Promise<void> {
    if (this.filling === signal) {
      return;
    }
    this.filling = signal;
    try {
      while (!this.store.whole && !this.store.full && this.store.bytes < this.wanted) {
        const from = Math.max(this.store.start - PIECE, 0);
        const { bytes } = await this.read(from, this.store.start - from, signal);
        signal.throwIfAborted();
        this.store.prepend(bytes);
        this.tell(this.state);
        // The page draws, and answers, between pieces.
        await new Promise(resolve => setTimeout(resolve, 0));
        signal.throwIfAborted();
      }
    } finally {
      if (this.filling === signal) {
        this.filling = null;
      }
    }
  }

  private async read(
    offset: number,
    limit: number,
    signal: AbortSignal
  ): Promise<{ bytes: Uint8Array; offset: number }> {
    const { base, transport } = this.source.place;
    const response = await transport(
      new Request(`${base}${this.source.path}?${this.query({ offset, limit })}`, { signal })
    );
    if (!response.ok) {
      throw await problemOf(response);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { bytes, offset: Number(response.headers.get('X-Log-Offset') ?? Math.max(offset, 0)) };
  }

  private query(values: Record<string, number>): string {
    const { attempt } = this.source;
    const all = Object.entries(attempt === null ? values : { ...values, attempt });
    return new URLSearchParams(all.map(([name, value]): [string, string] => [name, String(value)])).toString();
  }

  private fail(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) {
      this.error = error instanceof Error ? error : new Error(String(error));
      this.tell(this.state);
    }
  }

  private tell(state: FeedState): void {
    this.state = state;
    this.version += 1;
    for (const listener of this.listeners) {
      listener();
    }
  }
}
