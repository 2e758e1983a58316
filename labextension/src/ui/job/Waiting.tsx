/** A queued job: its place, when it is expected to start, and what is free meanwhile. */
import { useBalance, useQueue, type Workload } from '../../api/queries';
import { duration, price, shape } from '../format';
import { useShell } from '../shell';

export function Waiting({ job }: { job: Workload }) {
  const { words, open } = useShell();
  const { data: queue } = useQueue();
  const { data: balance } = useBalance(job.workspace);
  const forecast = job.forecast ?? queue?.items.find(item => item.id === job.id)?.forecast;
  const free = queue?.free_specs ?? [];
  return (
    <section className="pk-box" aria-label={words.__('In the queue')}>
      <dl className="pk-facts">
        <div>
          <dt>{words.__('Place')}</dt>
          <dd>
            {job.hold
              ? words.__('held back')
              : forecast
                ? queue
                  ? words.__('%1 of %2 waiting', forecast.position, Math.max(queue.length, forecast.position))
                  : forecast.position
                : words.__('not in the queue yet')}
          </dd>
        </div>
        <div>
          <dt>{words.__('Expected to start')}</dt>
          <dd>
            {job.hold
              ? words.__('not while it is held')
              : forecast?.p50_seconds == null
                ? words.__('not known: nothing like it has waited before')
                : words.__('in about %1', duration(forecast.p50_seconds))}
            {forecast?.p90_seconds != null && !job.hold && (
              <span className="pk-fact"> {words.__('(9 of 10 within %1)', duration(forecast.p90_seconds))}</span>
            )}
          </dd>
        </div>
        <div>
          <dt>{words.__('Free now')}</dt>
          <dd>
            {free.length === 0 ? (
              words.__('nothing')
            ) : (
              <ul className="pk-inline">
                {free.map(spec => (
                  <li key={spec.name} title={shape(spec, words)}>
                    {spec.name}{' '}
                    <span className="pk-fact">{price(spec.price_micro, balance?.currency ?? '', words)}</span>
                  </li>
                ))}
              </ul>
            )}
          </dd>
        </div>
      </dl>
      {free.length > 0 && (
        <button
          type="button"
          className="pk-button"
          onClick={() => open({ view: 'new-job', from: job.id, preset: free[0] && { spec: free[0].name } })}
        >
          {words.__('Clone for a free spec')}
        </button>
      )}
      {job.message && <p>{job.message}</p>}
    </section>
  );
}
