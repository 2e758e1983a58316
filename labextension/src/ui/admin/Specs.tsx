/** What is sold, at what price, and to whom. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { type Order, sorted, SortHead } from '../assets/bits';
import { price, shape } from '../format';
import { Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { OfferActions } from './OfferActions';
import { Pools } from './Pools';
import { onlyAt, type Pool, type Spec, SPEC_AS_IS, useAllSpecs, useCurrency, usePools } from './queries';
import { SpecForm } from './SpecForm';

type Column = 'name' | 'shape' | 'price' | 'state';

const VALUES: Record<Column, (spec: Spec) => string | number> = {
  name: spec => spec.name,
  shape: spec => spec.accelerators * 1e9 + spec.cpu_milli,
  price: spec => spec.price_micro,
  state: spec => Number(!spec.enabled)
};

export function Specs() {
  return (
    <>
      <SpecSection />
      <Pools />
    </>
  );
}

function SpecSection() {
  const { words } = useShell();
  const query = useAllSpecs();
  const pools = usePools();
  const [making, setMaking] = useState(false);
  return (
    <section aria-labelledby="pk-specs">
      <div className="pk-page-head">
        <h1 id="pk-specs" className="pk-title">
          {words.__('Specs')}
        </h1>
        <span className="pk-grow" />
        <button type="button" className="pk-button pk-primary" disabled={making} onClick={() => setMaking(true)}>
          {words.__('New spec…')}
        </button>
      </div>
      {making && <SpecForm onClose={() => setMaking(false)} />}
      <Loaded query={query} lines={4}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.__('A spec is a shape to run on, with its price. Without one nothing can run.')}</Empty>
          ) : (
            <Table specs={items} pools={pools.data?.items ?? []} />
          )
        }
      </Loaded>
    </section>
  );
}

function Table({ specs, pools }: { specs: Spec[]; pools: Pool[] }) {
  const { words, language } = useShell();
  const [order, setOrder] = useState<Order<Column> | null>(null);
  const [editing, setEditing] = useState<string | null>(null);
  const edited = specs.find(spec => spec.name === editing);
  return (
    <>
      {edited && <SpecForm key={edited.revision} spec={edited} onClose={() => setEditing(null)} />}
      <div className="pk-scroll">
        <table className="pk-asset-table">
          <thead>
            <tr>
              <SortHead by="name" order={order} onOrder={setOrder}>
                {words.__('Name')}
              </SortHead>
              <SortHead by="shape" order={order} onOrder={setOrder}>
                {words.__('Shape')}
              </SortHead>
              <SortHead by="price" order={order} onOrder={setOrder} numeric>
                {words.__('Price')}
              </SortHead>
              <th scope="col">{words.__('Pools')}</th>
              <SortHead by="state" order={order} onOrder={setOrder}>
                {words.__('State')}
              </SortHead>
              <th scope="col">
                <span className="pk-unseen">{words.__('Actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted(specs, order, VALUES, language).map(spec => (
              <Row key={spec.id} spec={spec} pools={pools} onEdit={() => setEditing(spec.name)} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row({ spec, pools, onEdit }: { spec: Spec; pools: Pool[]; onEdit: () => void }) {
  const { api, words, confirm } = useShell();
  const cache = useQueryClient();
  const currency = useCurrency();
  const inside = pools.filter(pool => pool.specs.length === 0 || pool.specs.includes(spec.name));
  const params = { path: { spec: spec.name } };
  const headers = onlyAt(spec.revision);
  const changed = async (): Promise<void> => {
    await Promise.all([
      cache.invalidateQueries({ queryKey: ['specs'] }),
      cache.invalidateQueries({ queryKey: ['pools'] })
    ]);
  };
  const turn = async (): Promise<void> => {
    await answer(
      api.PATCH('/resources/specs/{spec}', { params, headers, body: { ...SPEC_AS_IS, enabled: !spec.enabled } })
    );
    await changed();
  };
  const remove = async (): Promise<void> => {
    const lost = words.__('Nobody can choose it any more. What runs on it keeps its shape and its price.');
    if (await confirm(words.__('Delete the spec %1?', spec.name), lost, words.__('Delete'))) {
      await answer(api.DELETE('/resources/specs/{spec}', { params, headers }));
      await changed();
    }
  };
  return (
    <tr>
      <th scope="row" title={spec.description || undefined}>
        {spec.name}
      </th>
      <td>{shape(spec, words)}</td>
      <td className="pk-amount">{price(spec.price_micro, currency, words)}</td>
      <td>{inside.length === 0 ? words.__('none') : inside.map(pool => pool.name).join(', ')}</td>
      <td>{spec.enabled ? words.__('on offer') : words.__('disabled')}</td>
      <OfferActions offer={spec} onEdit={onEdit} turn={turn} remove={remove} />
    </tr>
  );
}
