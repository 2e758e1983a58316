/** One node: what it has, what is used of it, and what an admin lets workloads have. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { addressOf } from '../address';
import { Refusal, useAct } from '../assets/bits';
import { bytes } from '../format';
import { Ago, Empty, Loaded } from '../parts';
import { ReasonForm } from '../ReasonForm';
import { useShell } from '../shell';
import { NodeHeat } from './Heat';
import { NodeCharts } from './NodeCharts';
import { NodeLimits } from './NodeLimits';
import { Holders } from './Overview';
import { type Node, onlyAt, useUsage } from './queries';

export function NodeDetail({ node }: { node: Node }) {
  const { words, portal } = useShell();
  const state = !node.alive ? words.__('down') : node.drained ? words.__('drained') : words.__('up');
  return (
    <div className="pk-node-detail">
      <div className="pk-page-head">
        <a href={portal + addressOf({ view: 'admin', section: 'nodes' })}>{words.__('Nodes')}</a>
        <h1 className="pk-title">{node.name}</h1>
        <span className={node.alive && !node.drained ? undefined : 'pk-reason'}>{state}</span>
        {node.drain_reason && <span className="pk-fact">{node.drain_reason}</span>}
        <span className="pk-fact">
          {words.__('heard of')} <Ago time={node.heartbeat} />
        </span>
        <span className="pk-grow" />
        <Actions node={node} />
      </div>
      <NodeHeat node={node} />
      <Capacity node={node} />
      <NodeCharts node={node} />
      <section aria-labelledby="pk-node-holders">
        <h2 id="pk-node-holders">{words.__('What runs here')}</h2>
        <Here node={node} />
      </section>
      <NodeLimits key={node.revision} node={node} />
    </div>
  );
}

function Actions({ node }: { node: Node }) {
  const { api, words, confirm, open, announce } = useShell();
  const cache = useQueryClient();
  const [draining, setDraining] = useState(false);
  const change = useAct();
  const params = { path: { node: node.name } };
  const headers = onlyAt(node.revision);
  const changed = (): Promise<void> => cache.invalidateQueries({ queryKey: ['nodes'] });
  const drain = async (reason: string): Promise<void> => {
    await answer(api.POST('/resources/nodes/{node}/drain', { params, headers, body: { reason } }));
    await changed();
  };
  const undrain = async (): Promise<void> => {
    await answer(api.POST('/resources/nodes/{node}/undrain', { params, headers }));
    await changed();
  };
  const forget = async (): Promise<void> => {
    const lost = words.__('What was set for it is lost. Should it come back, it is a new node.');
    if (await confirm(words.__('Forget %1?', node.name), lost, words.__('Forget'))) {
      await answer(api.DELETE('/resources/nodes/{node}', { params, headers }));
      announce(words.__('%1 is forgotten.', node.name), 'success');
      open({ view: 'admin', section: 'nodes' });
      await changed();
    }
  };
  return (
    <>
      {node.drained ? (
        <button type="button" className="pk-button" disabled={change.busy} onClick={() => change.act(undrain)}>
          {words.__('Undrain')}
        </button>
      ) : (
        <button type="button" className="pk-button" disabled={draining} onClick={() => setDraining(true)}>
          {words.__('Drain…')}
        </button>
      )}
      {!node.alive && (
        <button type="button" className="pk-button" disabled={change.busy} onClick={() => change.act(forget)}>
          {words.__('Forget…')}
        </button>
      )}
      <Refusal error={change.error} />
      {draining && (
        <ReasonForm
          title={words.__('Drain %1?', node.name)}
          lost={words.__('Nothing new starts on it. What runs there goes on to its end.')}
          verb={words.__('Drain')}
          optional
          act={drain}
          onClose={() => setDraining(false)}
        />
      )}
    </>
  );
}

function Capacity({ node }: { node: Node }) {
  const { words } = useShell();
  const cores = (milli: number): string => words._n('%1 core', '%1 cores', milli / 1000);
  const types = [...new Set(node.accelerators.map(({ type }) => type || 'GPU'))];
  return (
    <dl className="pk-facts">
      <div>
        <dt>{words.__('CPU')}</dt>
        <dd>
          {words.__(
            '%1, %2 for workloads, %3 held',
            cores(node.cpu_milli),
            cores(node.usable_cpu_milli),
            cores(node.used_cpu_milli)
          )}
        </dd>
      </div>
      <div>
        <dt>{words.__('Memory')}</dt>
        <dd>
          {words.__(
            '%1, %2 for workloads, %3 held',
            bytes(node.memory),
            bytes(node.usable_memory),
            bytes(node.used_memory)
          )}
        </dd>
      </div>
      <div>
        <dt>{words.__('Accelerators')}</dt>
        <dd>
          {node.accelerators.length === 0
            ? words.__('none')
            : words.__(
                '%1 (%2), %3 for workloads, %4 held',
                node.accelerators.length,
                types.join(', '),
                node.usable_accelerators.length,
                node.used_accelerators?.length ?? 0
              )}
        </dd>
      </div>
    </dl>
  );
}

function Here({ node }: { node: Node }) {
  const { words } = useShell();
  const query = useUsage();
  return (
    <Loaded query={query} lines={2}>
      {({ items }) => {
        const here = items.filter(item => item.node === node.name);
        return here.length === 0 ? <Empty>{words.__('Nothing runs here.')}</Empty> : <Holders items={here} />;
      }}
    </Loaded>
  );
}
