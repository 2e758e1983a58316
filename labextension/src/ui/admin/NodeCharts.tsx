/** What a node's workloads used, as curves over the hours. */
import { useMemo, useState } from 'react';

import { Chart, type Line } from '../job/Chart';
import { Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { type Node, type NodeLoad, useLoads } from './queries';

const GIB = 2 ** 30;
const SPANS = [1, 24, 24 * 7, 24 * 30];

export function NodeCharts({ node }: { node: Node }) {
  const { words } = useShell();
  const [hours, setHours] = useState(1);
  const query = useLoads(node.name, hours);
  const spanName = (span: number): string =>
    span < 24 ? words._n('%1 hour', '%1 hours', span) : words._n('%1 day', '%1 days', span / 24);
  return (
    <section aria-labelledby="pk-node-use">
      <div className="pk-page-head">
        <h2 id="pk-node-use">{words.__('Use')}</h2>
        <select
          className="pk-asset-input"
          aria-label={words.__('Time shown')}
          value={hours}
          onChange={event => setHours(Number(event.target.value))}
        >
          {SPANS.map(span => (
            <option key={span} value={span}>
              {spanName(span)}
            </option>
          ))}
        </select>
      </div>
      <Loaded query={query} lines={6}>
        {({ items }) =>
          items.length < 2 ? (
            <p className="pk-hint">{words.__('Measured every 15 seconds: the curves come in a moment.')}</p>
          ) : (
            <Charts node={node} items={items} />
          )
        }
      </Loaded>
    </section>
  );
}

function Charts({ node, items }: { node: Node; items: NodeLoad[] }) {
  const { words } = useShell();
  // The same curves as long as the data is the same: they are drawn again else.
  const charts = useMemo(
    () => chartsOf(items, node.accelerators.length, words),
    [items, node.accelerators.length, words]
  );
  return (
    <div className="pk-charts">
      {charts.map(({ name, lines }) => (
        <Chart key={name} name={name} lines={lines} axis="clock" group={`node:${node.name}`} />
      ))}
    </div>
  );
}

function chartsOf(items: NodeLoad[], accelerators: number, words: Words): { name: string; lines: Line[] }[] {
  const x = items.map(({ time }) => Date.parse(time) / 1000);
  const line = (label: string, value: (load: NodeLoad) => number): Line => ({
    label,
    curve: { x, y: items.map(value) }
  });
  const busy = (load: NodeLoad): number => load.accelerators.reduce((sum, one) => sum + one.utilization, 0);
  const charts = [
    {
      name: words.__('CPU in cores'),
      lines: [
        line(words.__('used'), load => load.cpu_milli / 1000),
        line(words.__('held'), load => load.held_cpu_milli / 1000)
      ]
    },
    {
      name: words.__('Memory in GiB'),
      lines: [line(words.__('used'), load => load.memory / GIB), line(words.__('held'), load => load.held_memory / GIB)]
    }
  ];
  if (accelerators > 0) {
    charts.push({
      name: words.__('Accelerators'),
      lines: [line(words.__('used'), busy), line(words.__('held'), load => load.accelerators.length)]
    });
  }
  return charts;
}
