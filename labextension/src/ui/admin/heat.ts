/** What nodes are doing, as cells and bars. */
import type { Node, NodeLoad, QueueItem, UsageItem } from './queries';

/** `held` is taken and not used at the moment, `idle` not for half an hour; `off` takes nothing new. */
export type CellState = 'free' | 'busy' | 'held' | 'idle' | 'off' | 'down';

export const IDLE_MS = 30 * 60_000;
/** An accelerator used less than this does nothing. */
const WORKS = 0.02;

export interface Cell {
  index: number;
  type: string;
  state: CellState;
  holder?: UsageItem;
  /** From 0 to 1; undefined while it was not measured. */
  utilization?: number;
}

export interface Part {
  state: CellState;
  amount: number;
}

/** Whether what a replica holds has not been used for half an hour. */
export function isIdle(item: UsageItem, now: number): boolean {
  const last = Math.max(item.busy ? Date.parse(item.busy) : 0, item.since ? Date.parse(item.since) : 0);
  return last > 0 && now - last > IDLE_MS;
}

/** Returns a cell for each accelerator of a node. */
export function cellsOf(node: Node, items: UsageItem[], load: NodeLoad | undefined, now: number): Cell[] {
  const here = items.filter(item => item.node === node.name);
  return node.accelerators.map(({ index, type }) => {
    const holder = here.find(item => item.accelerators.includes(index));
    const utilization = load?.accelerators.find(one => one.index === index)?.utilization;
    const open = node.usable_accelerators.includes(index) && !node.drained;
    const held = holder && (isIdle(holder, now) ? 'idle' : (utilization ?? 0) >= WORKS ? 'busy' : 'held');
    return { index, type, holder, utilization, state: node.alive ? (held ?? (open ? 'free' : 'off')) : 'down' };
  });
}

/** Returns how a node's cores or bytes are divided; the parts of one node add up to all it has. */
export function barOf(
  node: Node,
  items: UsageItem[],
  load: NodeLoad | undefined,
  now: number,
  what: 'cpu_milli' | 'memory'
): Part[] {
  const here = items.filter(item => item.node === node.name);
  const sum = (list: UsageItem[]): number => list.reduce((total, item) => total + item[what], 0);
  const [all, usable] = [node[what], node[`usable_${what}`]];
  if (!node.alive) {
    return [{ state: 'down', amount: all }];
  }
  const held = sum(here);
  const idle = sum(here.filter(item => isIdle(item, now)));
  const busy = Math.min(load?.[what] ?? 0, held - idle);
  const free = Math.max(usable - held, 0);
  const parts: Part[] = [
    { state: 'busy', amount: busy },
    { state: 'held', amount: held - idle - busy },
    { state: 'idle', amount: idle },
    { state: node.drained ? 'off' : 'free', amount: free },
    { state: 'off', amount: Math.max(all - Math.max(usable, held), 0) }
  ];
  return parts.filter(({ amount }) => amount > 0);
}

export interface Line {
  pool: string;
  waiting: number;
  held: number;
  /** Who of those not held back waits longest. */
  longest: QueueItem | undefined;
}

/** Returns the queue by pools, the one with the longest wait first. */
export function linesOf(items: QueueItem[]): Line[] {
  const lines = new Map<string, Line>();
  for (const item of items) {
    const line = lines.get(item.pool) ?? { pool: item.pool, waiting: 0, held: 0, longest: undefined };
    lines.set(item.pool, line);
    if (item.hold) {
      line.held += 1;
      continue;
    }
    line.waiting += 1;
    if (!line.longest || item.created < line.longest.created) {
      line.longest = item;
    }
  }
  const since = (line: Line): string => line.longest?.created ?? '~';
  return [...lines.values()].sort((a, b) => (since(a) < since(b) ? -1 : 1));
}
