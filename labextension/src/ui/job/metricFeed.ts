/** Brings a job's metrics into a store: what there is in large pages, what comes by stream. */
import { answer, type Api } from '../../api/client';
import { follow, type Place } from '../../api/follow';
import { MetricStore, type Point } from './metricStore';

const PAGE = 10_000;
/** Curves are drawn anew at most so often: redrawing for each point would be all the page does. */
const CALM_MS = 250;

/** Reads all there is of a job's metrics. */
export async function readMetrics(
  api: Api,
  id: string,
  store: MetricStore,
  signal?: AbortSignal
): Promise<MetricStore> {
  for (let cursor: string | undefined; ;) {
    const { items, next } = await answer(
      api.GET('/workloads/{workload}/metrics', {
        params: { path: { workload: id }, query: { limit: PAGE, cursor } },
        signal
      })
    );
    store.add(items);
    if (items.length < PAGE || next == null) {
      return store;
    }
    cursor = next;
  }
}

export class MetricFeed {
  version = 0;
  loaded = false;
  error: Error | null = null;
  readonly store: MetricStore;
  private readonly listeners = new Set<() => void>();
  private paused = new AbortController();
  private unfollow: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly source: { api: Api; place: Place; id: string },
    started: string | null,
    private live: boolean
  ) {
    this.store = new MetricStore(started === null ? null : Date.parse(started));
  }

  /** For React: calls `listener` after changes. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Reads what there is, then follows. Called again, it goes on behind the last point. */
  resume = async (): Promise<void> => {
    const { signal } = (this.paused = new AbortController());
    const { api, place, id } = this.source;
    try {
      this.error = null;
      if (!this.loaded) {
        await readMetrics(api, id, this.store, signal);
        this.loaded = true;
        this.tell();
      }
      if (!this.live || signal.aborted) {
        return;
      }
      this.unfollow = follow(
        place,
        `/workloads/${id}/metrics/stream`,
        {
          onMessages: messages => {
            this.store.add(messages.map(({ data }) => JSON.parse(data) as Point));
            this.timer ??= setTimeout(this.tell, CALM_MS);
          },
          onEnd: () => {
            this.live = false;
          },
          onLive: () => undefined
        },
        this.store.lastId
      );
    } catch (error) {
      if (!signal.aborted) {
        this.error = error instanceof Error ? error : new Error(String(error));
        this.tell();
      }
    }
  };

  /** Gives its connection back, keeping what it has. */
  pause = (): void => {
    this.paused.abort();
    this.unfollow?.();
    this.unfollow = null;
  };

  private readonly tell = (): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.version += 1;
    for (const listener of this.listeners) {
      listener();
    }
  };
}
