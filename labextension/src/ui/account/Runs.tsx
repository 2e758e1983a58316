/** The newest jobs of a workspace. */
import { useBalance, useWorkloads } from '../../api/queries';
import { walkRows } from '../assets/bits';
import { money } from '../format';
import { Ago, Empty, Loaded, PhaseSign, phaseName, Section } from '../parts';
import { useShell } from '../shell';

const NEWEST = 12;

export function Runs({ name }: { name: string }) {
  const { words, open } = useShell();
  const query = useWorkloads({ workspace: name, kind: 'job', limit: NEWEST });
  const { data: balance } = useBalance(name);
  return (
    <Section
      name="runs"
      title={words.__('Jobs')}
      action={
        <button type="button" className="pk-button" onClick={() => open({ view: 'jobs' })}>
          {words.__('All')}
        </button>
      }
    >
      <Loaded query={query} lines={4}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.__('No job has run here yet.')}</Empty>
          ) : (
            <table className="pk-asset-table pk-stacked" aria-label={words.__('Jobs')} onKeyDown={walkRows}>
              <thead>
                <tr>
                  <th scope="col">{words.__('Name')}</th>
                  <th scope="col">{words.__('Phase')}</th>
                  <th scope="col">{words.__('By')}</th>
                  <th scope="col">{words.__('Submitted')}</th>
                  <th scope="col" className="pk-amount">
                    {words.__('Cost')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map(job => (
                  <tr key={job.id}>
                    <th scope="row" className="pk-cell-name">
                      <button
                        type="button"
                        className="pk-link pk-walk"
                        onClick={() => open({ view: 'job', id: job.id, name: job.name })}
                      >
                        {job.name}
                      </button>
                    </th>
                    <td data-title={words.__('Phase')}>
                      <PhaseSign phase={job.phase} /> {phaseName(job.phase, words)}
                    </td>
                    <td data-title={words.__('By')}>{job.creator}</td>
                    <td data-title={words.__('Submitted')}>
                      <Ago time={job.created} />
                    </td>
                    <td data-title={words.__('Cost')} className="pk-amount">
                      {job.price_micro === 0 ? words.__('free') : balance && money(job.cost_micro, balance.currency)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </Section>
  );
}
