/** Moving what waits: what is sent is which workloads start first, the rest follows by the rules. */
import type { QueueItem } from './queries';

/** Those that have a place, in the order they are to start. */
export function inLine(items: QueueItem[]): QueueItem[] {
  return items.filter(item => !item.hold);
}

/** Returns the ids to put at the head so that `id` gets to `place`, counted from 0, and who is before it stays so. */
export function moved(items: QueueItem[], id: string, place: number): string[] {
  const line = inLine(items);
  const rest = line.filter(item => item.id !== id).map(item => item.id);
  const to = Math.min(Math.max(place, 0), rest.length);
  const order = [...rest.slice(0, to), id, ...rest.slice(to)];
  return order.slice(0, Math.max(to + 1, line.filter(item => item.pinned).length));
}
