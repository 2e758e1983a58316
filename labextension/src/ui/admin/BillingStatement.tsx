/** A workspace's account of a period: what it had, received and spent, and on what. */
import type { Schemas } from '../../api/client';
import { duration, money } from '../format';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { type Column, Table } from '../table/Table';
import { addressWith, type Period } from './period';
import { useStatement } from './peopleQueries';

type Line = Schemas['StatementLine'];

export function BillingStatement({ workspace, period }: { workspace: string; period: Period }) {
  const { base, words } = useShell();
  const csv = addressWith(`${base}/billing/statement/export`, { workspace, ...period });
  return (
    <section aria-label={words.__('Statement')}>
      <header className="pk-page-head">
        <h2 className="pk-title">{words.__('Account of %1', workspace)}</h2>
        <span className="pk-grow" />
        <a className="pk-link" href={csv} download={`${workspace}-statement.csv`}>
          {words.__('Download as CSV')}
        </a>
      </header>
      <Loaded query={useStatement(workspace, period)} lines={6}>
        {statement => {
          const { currency } = statement;
          return (
            <>
              <p className="pk-sum">
                <span>
                  <span className="pk-fact">{words.__('Had')}</span> {money(statement.opening_micro, currency)}
                </span>
                <span>
                  <span className="pk-fact">{words.__('+ received')}</span> {money(statement.received_micro, currency)}
                </span>
                <span>
                  <span className="pk-fact">{words.__('− spent')}</span> {money(statement.spent_micro, currency)}
                </span>
                <span>
                  <span className="pk-fact">{words.__('= has')}</span>{' '}
                  <strong>{money(statement.closing_micro, currency)}</strong>
                </span>
              </p>
              {statement.lines.length > 0 && <Lines lines={statement.lines} currency={currency} />}
              {statement.lines_left_out > 0 && (
                <p className="pk-quiet">
                  {words._n(
                    '%1 more line is in the CSV.',
                    '%1 more lines are in the CSV.',
                    statement.lines_left_out,
                    statement.lines_left_out
                  )}
                </p>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function Lines({ lines, currency }: { lines: Line[]; currency: string }) {
  const { words, open } = useShell();
  const columns: Column<Line>[] = [
    {
      key: 'workload',
      title: words.__('Job or notebook'),
      value: line => line.workload,
      cell: line => line.workload ?? words.__('storage')
    },
    { key: 'creator', title: words.__('User'), value: line => line.creator, cell: line => line.creator },
    { key: 'spec', title: words.__('Spec'), value: line => line.spec, cell: line => line.spec },
    {
      key: 'time',
      title: words.__('Replica time'),
      numeric: true,
      value: line => line.milliseconds,
      cell: line => duration(line.milliseconds / 1000)
    },
    {
      key: 'cost',
      title: words.__('Cost'),
      numeric: true,
      value: line => line.cost_micro,
      cell: line => money(line.cost_micro, currency)
    }
  ];
  return (
    <div className="pk-totals">
      <Table
        label={words.__('Statement')}
        columns={columns}
        rows={lines}
        id={line => `${line.workload} ${line.spec}`}
        onOpen={line => line.workload !== null && open({ view: 'job', id: line.workload, name: '' })}
      />
    </div>
  );
}
