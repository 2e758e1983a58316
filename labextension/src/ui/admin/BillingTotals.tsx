/** What each workspace spent in a period, as bars. */
import type { Schemas } from '../../api/client';
import { duration, money } from '../format';
import { Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { type Column, Table } from '../table/Table';
import { addressWith, type Period } from './period';
import { useTotals } from './peopleQueries';

type Total = Schemas['WorkspaceTotal'];

export function BillingTotals({ period, onWorkspace }: { period: Period; onWorkspace: (name: string) => void }) {
  const { base, words } = useShell();
  return (
    <section aria-label={words.__('Totals')}>
      <header className="pk-page-head">
        <h2 className="pk-title">{words.__('Spent by workspace')}</h2>
        <span className="pk-grow" />
        <a className="pk-link" href={addressWith(`${base}/billing/totals/export`, { ...period })} download="totals.csv">
          {words.__('Download as CSV')}
        </a>
      </header>
      <Loaded query={useTotals(period)} lines={6}>
        {totals =>
          totals.items.length === 0 ? (
            <Empty>{words.__('No money moved in this time.')}</Empty>
          ) : (
            <>
              <p className="pk-quiet">
                {words.__(
                  '%1 spent for %2 of replica time, %3 received.',
                  money(totals.spent_micro, totals.currency),
                  duration(totals.milliseconds / 1000),
                  money(totals.received_micro, totals.currency)
                )}
              </p>
              <Bars totals={totals.items} currency={totals.currency} onWorkspace={onWorkspace} />
              {totals.left_out > 0 && (
                <p className="pk-quiet">
                  {words._n(
                    '%1 more workspace is in the CSV.',
                    '%1 more workspaces are in the CSV.',
                    totals.left_out,
                    totals.left_out
                  )}
                </p>
              )}
            </>
          )
        }
      </Loaded>
    </section>
  );
}

interface BarsProps {
  totals: Total[];
  currency: string;
  onWorkspace: (name: string) => void;
}

function Bars({ totals, currency, onWorkspace }: BarsProps) {
  const { words } = useShell();
  const most = Math.max(...totals.map(total => total.spent_micro), 1);
  const columns: Column<Total>[] = [
    { key: 'workspace', title: words.__('Workspace'), value: total => total.workspace, cell: total => total.workspace },
    {
      key: 'bar',
      title: words.__('Share of the dearest'),
      minor: true,
      cell: total => (
        <span className="pk-share" aria-hidden="true">
          <span style={{ width: `${(100 * Math.max(total.spent_micro, 0)) / most}%` }} />
        </span>
      )
    },
    {
      key: 'spent',
      title: words.__('Spent'),
      numeric: true,
      value: total => total.spent_micro,
      cell: total => money(total.spent_micro, currency)
    },
    {
      key: 'storage',
      title: words.__('For storage'),
      numeric: true,
      minor: true,
      value: total => total.storage_micro,
      cell: total => money(total.storage_micro, currency)
    },
    {
      key: 'time',
      title: words.__('Replica time'),
      numeric: true,
      value: total => total.milliseconds,
      cell: total => duration(total.milliseconds / 1000)
    },
    {
      key: 'received',
      title: words.__('Received'),
      numeric: true,
      value: total => total.received_micro,
      cell: total => money(total.received_micro, currency)
    }
  ];
  return (
    <div className="pk-totals">
      <Table
        label={words.__('Spent by workspace')}
        columns={columns}
        rows={totals}
        id={total => total.workspace}
        onOpen={total => onWorkspace(total.workspace)}
      />
    </div>
  );
}
