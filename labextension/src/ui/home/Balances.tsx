/** What the caller's workspaces have and spend. */
import { useQuery } from '@tanstack/react-query';

import { answer } from '../../api/client';
import { useMe } from '../../api/queries';
import { duration, money, price } from '../format';
import { Empty, Loaded } from '../parts';
import { useShell } from '../shell';

const LOOK_MS = 5000;

export function Balances() {
  const { api, words, open } = useShell();
  const { data: me } = useMe();
  const query = useQuery({
    queryKey: ['balances'],
    queryFn: ({ signal }) => answer(api.GET('/billing/balances', { signal })),
    refetchInterval: LOOK_MS
  });
  return (
    <section aria-labelledby="pk-balances">
      <h2 id="pk-balances">{words.__('Meter')}</h2>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.__('You are in no workspace yet: an admin adds you to one.')}</Empty>
          ) : (
            <>
              {items.map(({ workspace, balance_micro, burn_micro, seconds_left, month_spent_micro, currency }) => (
                <dl key={workspace} className="pk-meters" aria-label={workspace}>
                  {(items.length > 1 || workspace !== me?.name) && (
                    <dt className="pk-meters-head">
                      <button
                        type="button"
                        className="pk-link"
                        onClick={() => open({ view: 'workspace', name: workspace })}
                      >
                        {workspace}
                      </button>
                    </dt>
                  )}
                  <dt>{words.__('Balance')}</dt>
                  <dd>{money(balance_micro, currency)}</dd>
                  {burn_micro > 0 && (
                    <>
                      <dt>{words.__('Spending')}</dt>
                      <dd>{price(burn_micro, currency, words)}</dd>
                    </>
                  )}
                  {seconds_left != null && (
                    <>
                      <dt>{words.__('Lasts')}</dt>
                      <dd>{duration(seconds_left)}</dd>
                    </>
                  )}
                  <dt>{words.__('This month')}</dt>
                  <dd>{money(month_spent_micro, currency)}</dd>
                </dl>
              ))}
            </>
          )
        }
      </Loaded>
    </section>
  );
}
