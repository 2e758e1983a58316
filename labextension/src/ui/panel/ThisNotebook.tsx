/** The server this Lab runs on: its shape, what it costs so far, and how it comes to an end. */
import { useBalance, useOwnServer, useSpecs, type Workload } from '../../api/queries';
import { price } from '../format';
import { Loaded, Section } from '../parts';
import { useShell } from '../shell';
import { useStop } from '../stopping';
import { roughly } from '../submit/specs';
import { calm } from './calm';
import { useMeter } from './meter';

export function ThisNotebook({ id }: { id: string }) {
  const { words } = useShell();
  const query = useOwnServer(id);
  const { data: server } = query;
  const { data: specs } = useSpecs('notebook');
  const { data: balance } = useBalance(server?.workspace);
  const spec = specs?.items.find(({ name }) => name === server?.spec);
  const facts = server && [
    spec && spec.accelerators > 0 ? `${spec.accelerators}×${spec.accelerator_type || 'GPU'}` : server.spec,
    price(server.price_micro, balance?.currency ?? '', words).replace('.00/', '/')
  ];
  return (
    <Section name="this-notebook" title={words.__('This notebook')} count={facts?.join(' · ')}>
      <Loaded query={calm(query)} lines={1}>
        {workload => <Running server={workload} at={query.dataUpdatedAt} currency={balance?.currency ?? ''} />}
      </Loaded>
    </Section>
  );
}

function Running({ server, at, currency }: { server: Workload; at: number; currency: string }) {
  const { words } = useShell();
  const meter = useMeter(server, at, currency);
  const idle = 'idle_seconds' in server.request ? server.request.idle_seconds : null;
  const end = idle == null ? words.__('runs until it is stopped') : words.__('stops if idle %1', roughly(idle));
  const { busy, ask } = useStop(server);
  return (
    <div className="pk-server">
      <span className="pk-server-facts">
        {meter.map(fact => (
          <span key={fact}>{fact} · </span>
        ))}
        {server.phase === 'running' ? end : words.__('stopping')}
      </span>
      {server.target === 'run' && (
        <button
          type="button"
          className="pk-button"
          disabled={busy}
          onClick={() => ask(words.__('Stop this notebook server?'))}
        >
          {words.__('Stop')}
        </button>
      )}
    </div>
  );
}
