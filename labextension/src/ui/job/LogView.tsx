/** The log of one replica: live, coloured, searchable, and smooth with a million lines. */
import { type ReactNode, type RefObject, useEffect, useRef, useState, useSyncExternalStore } from 'react';

import { isOpen, type Workload } from '../../api/queries';
import { bytes } from '../format';
import { Failure, Skeleton } from '../parts';
import { useShell } from '../shell';
import { LogFeed, UNASKED } from './logFeed';
import { LogLines, type LogLinesHandle } from './LogLines';
import { LogFinder } from './logFinder';
import { LogSearchBox } from './LogSearchBox';
import { useOnScreen } from './visible';

/** The log, with the choice of replica and attempt. */
export function LogView({ job }: { job: Workload }) {
  const { words } = useShell();
  const place = useRef<HTMLElement>(null);
  const [replica, setReplica] = useState<string | null>(null);
  const [attempt, setAttempt] = useState<number | null>(null);
  const names = job.members.map(member => member.name);
  const main = replica !== null && names.includes(replica) ? replica : names[0];
  const chosen = attempt ?? job.attempt;
  return (
    <section ref={place} className={main === undefined ? 'pk-log pk-empty-log' : 'pk-log'} aria-label={words.__('Log')}>
      {main === undefined ? (
        <>
          <div className="pk-job-bar">
            <h2>{words.__('Log')}</h2>
          </div>
          <p className="pk-hint">
            {isOpen(job.phase)
              ? words.__('The log begins when the job starts.')
              : words.__('The job ended before it wrote a log.')}
          </p>
        </>
      ) : (
        <ReplicaLog
          key={`${main}:${chosen}`}
          job={job}
          replica={main}
          attempt={chosen === job.attempt ? null : chosen}
          place={place}
        >
          <Choices
            names={names}
            replica={main}
            onReplica={setReplica}
            job={job}
            attempt={chosen}
            onAttempt={setAttempt}
          />
        </ReplicaLog>
      )}
    </section>
  );
}

function Choices(props: {
  names: string[];
  replica: string;
  onReplica: (name: string) => void;
  job: Workload;
  attempt: number;
  onAttempt: (attempt: number | null) => void;
}) {
  const { words } = useShell();
  const { names, job } = props;
  return (
    <>
      {names.length > 1 && (
        <select
          aria-label={words.__('Replica')}
          value={props.replica}
          onChange={event => props.onReplica(event.target.value)}
        >
          {names.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      {job.attempts.length > 1 && (
        <select
          aria-label={words.__('Attempt')}
          value={props.attempt}
          onChange={event => {
            const number = Number(event.target.value);
            props.onAttempt(number === job.attempt ? null : number);
          }}
        >
          {job.attempts.map(({ number }) => (
            <option key={number} value={number}>
              {words.__('attempt %1', number)}
            </option>
          ))}
        </select>
      )}
    </>
  );
}

interface ReplicaLogProps {
  job: Workload;
  replica: string;
  attempt: number | null;
  place: RefObject<HTMLElement | null>;
  children: ReactNode;
}

function ReplicaLog({ job, replica, attempt, place, children }: ReplicaLogProps) {
  const { words, base, transport } = useShell();
  const onScreen = useOnScreen(place);
  const path = `/workloads/${job.id}/logs/${encodeURIComponent(replica)}`;
  // Whether it is live is asked once: a stream tells its end itself, with all that was written before it.
  const [feed] = useState(
    () => new LogFeed({ place: { base, transport }, path, attempt }, attempt === null && isOpen(job.phase))
  );
  const [finder] = useState(() => new LogFinder(feed));
  const version = useSyncExternalStore(feed.subscribe, () => feed.version);
  const finding = useSyncExternalStore(finder.subscribe, () => finder.finding);
  const [follow, setFollow] = useState(true);
  const lines = useRef<LogLinesHandle>(null);
  useEffect(() => {
    if (onScreen) {
      void feed.resume();
    }
    return feed.pause;
  }, [feed, onScreen]);
  useEffect(() => {
    if (finding.line !== null) {
      lines.current?.show(finding.line);
    }
    // Only when it is asked for: the line stays the same while one scrolls away.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [finding.jumps]);
  const { store } = feed;
  const older = !store.whole && !store.full && store.bytes >= UNASKED;
  return (
    <>
      <div className="pk-job-bar">
        <h2>{words.__('Log')}</h2>
        {children}
        <LogSearchBox finder={finder} finding={finding} partly={older} />
        <span className="pk-job-bar-end">
          {feed.state === 'broken' && <span role="status">{words.__('connecting again')}</span>}
          {!follow && (
            <button type="button" className="pk-button" onClick={() => lines.current?.toEnd()}>
              {feed.state === 'ended' ? words.__('To the end ↓') : words.__('Follow ↓')}
            </button>
          )}
          <a
            className="pk-button"
            href={`${base}${path}${attempt === null ? '' : `?attempt=${attempt}`}`}
            download={`${job.name}-${replica}.log`}
            title={words.__('Download the whole log')}
          >
            {words.__('Download')}
          </a>
        </span>
      </div>
      {feed.error && <Failure error={feed.error} retry={() => void feed.resume()} />}
      {store.dropped > 0 && (
        <p className="pk-hint">{words.__('Only the last million lines are shown. Download the log for the others.')}</p>
      )}
      {older && (
        <p className="pk-hint">
          <button type="button" className="pk-link" onClick={() => feed.more(Infinity)}>
            {words.__('Load the %1 before this', bytes(store.start))}
          </button>
        </p>
      )}
      {store.count > 0 ? (
        <LogLines
          ref={lines}
          feed={feed}
          version={version}
          needle={finding.needle}
          current={finding.line}
          follow={follow}
          onFollow={setFollow}
        />
      ) : feed.state === 'loading' ? (
        !feed.error && <Skeleton lines={6} />
      ) : (
        <p className="pk-hint">
          {feed.state === 'ended' ? words.__('Nothing was written to the log.') : words.__('Nothing is written yet.')}
        </p>
      )}
    </>
  );
}
