/** A server's meter, which goes on between two looks at it. */
import type { Workload } from '../../api/queries';
import { duration, money } from '../format';
import { useNow } from '../parts';

/** Elapsed time and cost by now, of what was read at `at`. */
export function useMeter(server: Workload | undefined, at: number, currency: string): string[] {
  const now = useNow();
  if (!server?.started) {
    return [];
  }
  const elapsed = duration((now - Date.parse(server.started)) / 1000);
  if (server.price_micro === 0) {
    return [elapsed];
  }
  const since = server.phase === 'running' ? Math.max(now - at, 0) / 3_600_000 : 0;
  return [elapsed, money(Math.round(server.cost_micro + since * server.price_micro), currency)];
}
