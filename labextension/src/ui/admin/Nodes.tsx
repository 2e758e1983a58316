/** The machines: how each is doing, and one in full. */
import { useState } from 'react';

import { type Order, sorted, SortHead } from '../assets/bits';
import { addressOf } from '../address';
import { bytes } from '../format';
import { Ago, Empty, Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { NodeDetail } from './NodeDetail';
import { type Node, useNodes } from './queries';

type Column = 'name' | 'state' | 'cpu' | 'memory' | 'accelerators' | 'heartbeat';

const VALUES: Record<Column, (node: Node) => string | number> = {
  name: node => node.name,
  state: node => (node.alive ? (node.drained ? 1 : 0) : 2),
  cpu: node => node.used_cpu_milli,
  memory: node => node.used_memory,
  accelerators: node => node.used_accelerators?.length ?? 0,
  heartbeat: node => node.heartbeat
};

export function nodeState(node: Node, words: Words): string {
  return !node.alive ? words.__('down') : node.drained ? words.__('drained') : words.__('up');
}

export function Nodes({ item }: { item?: string }) {
  const { words } = useShell();
  const query = useNodes();
  return (
    <Loaded query={query} lines={6}>
      {({ items }) => {
        const chosen = items.find(node => node.name === item);
        if (item !== undefined) {
          return chosen ? <NodeDetail node={chosen} /> : <Empty>{words.__('There is no node %1.', item)}</Empty>;
        }
        return items.length === 0 ? (
          <Empty>{words.__('There is no node: start the platform on a machine, and it appears here.')}</Empty>
        ) : (
          <Table nodes={items} />
        );
      }}
    </Loaded>
  );
}

function Table({ nodes }: { nodes: Node[] }) {
  const { words, language } = useShell();
  const [q, setQ] = useState('');
  const [order, setOrder] = useState<Order<Column> | null>(null);
  const shown = sorted(
    nodes.filter(node => node.name.includes(q.trim())),
    order,
    VALUES,
    language
  );
  const heads: [Column, string, boolean][] = [
    ['name', words.__('Name'), false],
    ['state', words.__('State'), false],
    ['cpu', words.__('CPU held'), true],
    ['memory', words.__('Memory held'), true],
    ['accelerators', words.__('Accelerators held'), true],
    ['heartbeat', words.__('Heard of'), false]
  ];
  return (
    <>
      <h1 className="pk-title">{words.__('Nodes')}</h1>
      <div className="pk-filters">
        <input
          type="search"
          className="pk-asset-input pk-asset-search"
          aria-label={words.__('Search nodes by name')}
          placeholder={words.__('Search by name')}
          value={q}
          onChange={event => setQ(event.target.value)}
        />
      </div>
      <div className="pk-scroll">
        <table className="pk-asset-table">
          <thead>
            <tr>
              {heads.map(([by, title, numeric]) => (
                <SortHead key={by} by={by} order={order} onOrder={setOrder} numeric={numeric}>
                  {title}
                </SortHead>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(node => (
              <Row key={node.id} node={node} />
            ))}
          </tbody>
        </table>
      </div>
      {shown.length === 0 && <Empty>{words.__('No node has this in its name.')}</Empty>}
    </>
  );
}

function Row({ node }: { node: Node }) {
  const { words, portal } = useShell();
  const cores = node.usable_cpu_milli / 1000;
  return (
    <tr>
      <th scope="row">
        <a href={portal + addressOf({ view: 'admin', section: 'nodes', item: node.name })}>{node.name}</a>
      </th>
      <td title={node.drain_reason || undefined}>
        <span className={node.alive && !node.drained ? undefined : 'pk-reason'}>{nodeState(node, words)}</span>
        {node.drain_reason && <span className="pk-fact"> {node.drain_reason}</span>}
      </td>
      <td className="pk-amount">{words._n('%2 of %1 core', '%2 of %1 cores', cores, node.used_cpu_milli / 1000)}</td>
      <td className="pk-amount">{words.__('%1 of %2', bytes(node.used_memory), bytes(node.usable_memory))}</td>
      <td className="pk-amount">
        {node.accelerators.length === 0
          ? words.__('none')
          : words.__('%1 of %2', node.used_accelerators?.length ?? 0, node.usable_accelerators.length)}
      </td>
      <td>
        <Ago time={node.heartbeat} />
      </td>
    </tr>
  );
}
