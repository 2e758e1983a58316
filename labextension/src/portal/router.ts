/** Which view the address asks for: links and the browser's own buttons lead from one to another without a reload. */
import { addressOf, targetOf } from '../ui/address';
import type { Target } from '../ui/shell';

export interface Place {
  target: Target | null;
  /** Given by `open` and lost by a reload: what the address has no room for. */
  given: Target | null;
}

/** The portal's place in the browser's history, below `base`. */
export class Router {
  private listeners = new Set<() => void>();
  private place: Place;

  constructor(private readonly base: string) {
    this.place = this.read(null);
    window.addEventListener('popstate', () => this.moved(null));
    document.addEventListener('click', event => this.clicked(event));
  }

  /** Goes to a view. */
  readonly open = (target: Target): void => {
    const address = this.base + addressOf(target);
    if (address !== location.pathname + location.search) {
      history.pushState(null, '', address);
    }
    this.moved(target);
    window.scrollTo(0, 0);
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): Place => this.place;

  private read(given: Target | null): Place {
    const path = location.pathname.slice(this.base.length);
    return { target: targetOf(path, new URLSearchParams(location.search)), given };
  }

  private moved(given: Target | null): void {
    this.place = this.read(given);
    this.listeners.forEach(listener => listener());
  }

  private clicked(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target !== '' || link.download !== '') {
      return;
    }
    const { origin, pathname, search } = new URL(link.href);
    const target =
      origin === location.origin && pathname.startsWith(this.base)
        ? targetOf(pathname.slice(this.base.length), new URLSearchParams(search))
        : null;
    if (target) {
      event.preventDefault();
      this.open(target);
    }
  }
}
