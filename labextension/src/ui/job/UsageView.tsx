/** What a job's replicas use of what they have. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, type Schemas } from '../../api/client';
import { isOpen, type Workload } from '../../api/queries';
import { bytes } from '../format';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { sparkPath } from './spark';

type Sample = Schemas['UsageSample'];
type Member = Workload['members'][number];

const REFRESH_MS = 5000;
/** Replicas shown before one asks for all. */
const FEW = 4;
const [WIDTH, HEIGHT] = [120, 28];
/** Old samples are a minute apart: a longer silence is a gap. */
const GAP_SECONDS = 180;

export function UsageView({ job }: { job: Workload }) {
  const { api, words } = useShell();
  const [all, setAll] = useState(false);
  const ongoing = isOpen(job.phase);
  const query = useQuery({
    queryKey: ['usage', job.id, job.attempt, ongoing],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/workloads/{workload}/usage', {
          params: { path: { workload: job.id }, query: { limit: Math.min(10_000, 500 * Math.max(job.replicas, 1)) } },
          signal
        })
      ),
    placeholderData: before => before,
    refetchInterval: ongoing ? REFRESH_MS : false
  });
  const members = all ? job.members : job.members.slice(0, FEW);
  return (
    <section className="pk-box" aria-labelledby={`usage-${job.id}`}>
      <h2 id={`usage-${job.id}`}>{words.__('Use')}</h2>
      <Loaded query={query} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="pk-hint">
              {ongoing ? words.__('Measured while the job runs.') : words.__('It ended before anything was measured.')}
            </p>
          ) : (
            <>
              <table className="pk-table pk-usage">
                <thead>
                  <tr>
                    <th scope="col">{words.__('Replica')}</th>
                    <th scope="col">{words.__('CPU')}</th>
                    <th scope="col">{words.__('Memory')}</th>
                    {members.some(member => member.accelerators.length > 0) && (
                      <th scope="col">{words.__('Accelerators')}</th>
                    )}
                  </tr>
                </thead>
                <tbody>
                  {members.map(member => (
                    <Use
                      key={member.name}
                      member={member}
                      samples={items.filter(sample => sample.replica === member.name)}
                    />
                  ))}
                </tbody>
              </table>
              {job.members.length > FEW && !all && (
                <button type="button" className="pk-button" onClick={() => setAll(true)}>
                  {words.__('Show all %1 replicas', job.members.length)}
                </button>
              )}
            </>
          )
        }
      </Loaded>
    </section>
  );
}

function Use({ member, samples }: { member: Member; samples: Sample[] }) {
  const { words } = useShell();
  const last = samples.at(-1);
  if (!last) {
    return (
      <tr>
        <th scope="row">{member.name}</th>
        <td colSpan={3}>{words.__('not measured')}</td>
      </tr>
    );
  }
  const cores = member.cpu_milli / 1000;
  const cpu = (sample: Sample): number => sample.cpu_milli / (member.cpu_milli || 1);
  const memory = (sample: Sample): number => sample.memory / (member.memory || 1);
  const peak = samples.reduce((most, sample) => Math.max(most, sample.memory), 0);
  return (
    <tr>
      <th scope="row" title={words.__('on %1', member.node)}>
        {member.name}
      </th>
      <td>
        <Spark
          samples={samples}
          share={cpu}
          text={words.__('%1 % of %2', percent(cpu(last)), words._n('%1 core', '%1 cores', cores, cores))}
        />
      </td>
      <td>
        <Spark
          samples={samples}
          share={memory}
          text={words.__('%1 of %2, at most %3', bytes(last.memory), bytes(member.memory), bytes(peak))}
        />
      </td>
      {member.accelerators.length > 0 && (
        <td>
          {last.accelerators.map(({ index, utilization, memory: held }) => (
            <Spark
              key={index}
              samples={samples}
              share={sample => sample.accelerators.find(one => one.index === index)?.utilization ?? 0}
              text={words.__('%1: %2 %, %3', index, percent(utilization), bytes(held))}
            />
          ))}
        </td>
      )}
    </tr>
  );
}

/** A share in percent, small ones with a decimal. */
const percent = (share: number): number => (share < 0.1 ? Math.round(share * 1000) / 10 : Math.round(share * 100));

function Spark({ samples, share, text }: { samples: Sample[]; share: (sample: Sample) => number; text: string }) {
  const points = samples.map((sample): [number, number] => [Date.parse(sample.time) / 1000, share(sample)]);
  return (
    <span className="pk-spark">
      <svg preserveAspectRatio="none" viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`} aria-hidden="true">
        <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        <path d={sparkPath(points, WIDTH, HEIGHT, GAP_SECONDS)} />
      </svg>
      <span>{text}</span>
    </span>
  );
}
