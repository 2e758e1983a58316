/** Every node as cells and bars: one cell for each accelerator, bars of cores and memory. */
import { addressOf } from '../address';
import { bytes } from '../format';
import { Empty, Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { barOf, type Cell, type CellState, cellsOf, type Part } from './heat';
import { type Node, useNodes, useUsage } from './queries';

export function stateName(state: CellState, words: Words): string {
  return {
    free: words.__('not held'),
    busy: words.__('busy'),
    held: words.__('held, not used now'),
    idle: words.__('idle for 30 minutes'),
    off: words.__('takes nothing new'),
    down: words.__('down')
  }[state];
}

const STATES: CellState[] = ['free', 'busy', 'held', 'idle', 'off', 'down'];

export function Heat() {
  const { words } = useShell();
  const nodes = useNodes();
  return (
    <Loaded query={nodes} lines={4}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty>{words.__('There is no node: start the platform on a machine, and it appears here.')}</Empty>
        ) : (
          <>
            <ul className="pk-heat">
              {items.map(node => (
                <li key={node.id}>
                  <NodeHeat node={node} />
                </li>
              ))}
            </ul>
            <ul className="pk-legend" aria-label={words.__('Legend')}>
              {STATES.map(state => (
                <li key={state}>
                  <span className={`pk-cell-box pk-cell-${state}`} aria-hidden="true" />
                  {stateName(state, words)}
                </li>
              ))}
            </ul>
          </>
        )
      }
    </Loaded>
  );
}

export function NodeHeat({ node }: { node: Node }) {
  const { words, portal } = useShell();
  const usage = useUsage();
  const now = usage.dataUpdatedAt;
  const items = usage.data?.items ?? [];
  const load = usage.data?.nodes.find(one => one.node === node.name);
  const cores = (amount: number): string => words._n('%1 core', '%1 cores', amount / 1000, amount / 1000);
  return (
    <div className="pk-heat-node">
      <a href={portal + addressOf({ view: 'admin', section: 'nodes', item: node.name })}>{node.name}</a>
      {node.accelerators.length > 0 && (
        <ul className="pk-cells">
          {cellsOf(node, items, load, now).map(cell => (
            <AcceleratorCell key={cell.index} cell={cell} />
          ))}
        </ul>
      )}
      <Bar title={words.__('CPU')} parts={barOf(node, items, load, now, 'cpu_milli')} text={cores} />
      <Bar title={words.__('Memory')} parts={barOf(node, items, load, now, 'memory')} text={bytes} />
    </div>
  );
}

function AcceleratorCell({ cell }: { cell: Cell }) {
  const { words } = useShell();
  const percent = cell.utilization === undefined ? '' : `${Math.round(cell.utilization * 100)} %`;
  const said = [
    `${cell.type || 'GPU'} ${cell.index}`,
    stateName(cell.state, words),
    cell.holder && words.__('%1 by %2', cell.holder.name, cell.holder.creator),
    percent
  ]
    .filter(Boolean)
    .join(' · ');
  return (
    <li className={`pk-cell-box pk-cell-${cell.state}`} title={said}>
      <span className="pk-unseen">{said}</span>
      <span aria-hidden="true">{cell.utilization === undefined ? '' : Math.round(cell.utilization * 100)}</span>
    </li>
  );
}

/** What there is, divided by what becomes of it. */
function Bar({ title, parts, text }: { title: string; parts: Part[]; text: (amount: number) => string }) {
  const { words } = useShell();
  const all = parts.reduce((sum, { amount }) => sum + amount, 0);
  const taken = parts.filter(({ state }) => ['busy', 'held', 'idle'].includes(state));
  const used = taken.reduce((sum, { amount }) => sum + amount, 0);
  const said = parts.map(({ state, amount }) => `${text(amount)} ${stateName(state, words)}`).join(', ');
  return (
    <div className="pk-node-bar" title={said}>
      <span>{title}</span>
      <svg role="img" aria-label={`${title}: ${said}`} viewBox="0 0 100 10" preserveAspectRatio="none">
        {parts.map(({ state, amount }, at) => {
          const before = parts.slice(0, at).reduce((sum, part) => sum + part.amount, 0);
          const [x, width] = [(before / (all || 1)) * 100, (amount / (all || 1)) * 100];
          return <rect key={at} className={`pk-bar-${state}`} x={x} width={width} height="10" />;
        })}
      </svg>
      <span className="pk-fact">{words.__('%1 of %2 held', text(used), text(all))}</span>
    </div>
  );
}
