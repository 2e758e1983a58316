/** Choosing jobs of the same workspace whose curves are drawn beside. */
import { useDeferredValue, useEffect, useId, useRef, useState } from 'react';

import { useWorkloads, type Workload, type WorkloadSummary } from '../../api/queries';
import { Ago, Loaded, PhaseSign } from '../parts';
import { useShell } from '../shell';

const MOST = 5;

interface Props {
  job: Workload;
  others: WorkloadSummary[];
  onChange: (others: WorkloadSummary[]) => void;
}

export function Compare({ job, others, onChange }: Props) {
  const { words } = useShell();
  const [open, setOpen] = useState(false);
  const id = useId();
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) {
      return;
    }
    const left = (event: Event): void => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', left);
    document.addEventListener('focusin', left);
    return () => {
      document.removeEventListener('pointerdown', left);
      document.removeEventListener('focusin', left);
    };
  }, [open]);
  return (
    <span
      ref={place}
      className="pk-compare"
      onKeyDown={event => {
        if (event.key === 'Escape' && open) {
          setOpen(false);
          event.stopPropagation();
        }
      }}
    >
      <button
        type="button"
        className="pk-button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {words.__('Compare with')} <span aria-hidden="true">▾</span>
      </button>
      {others.map((other, at) => (
        <button
          key={other.id}
          type="button"
          className="pk-chip"
          title={words.__('Compare no longer')}
          aria-label={words.__('Compare no longer with %1', other.name)}
          onClick={() => onChange(others.filter(one => one.id !== other.id))}
        >
          <Mark at={at + 1} /> {other.name} <span aria-hidden="true">×</span>
        </button>
      ))}
      <div id={id} className="pk-popup" hidden={!open}>
        {open && <Choice job={job} others={others} onChange={onChange} />}
      </div>
    </span>
  );
}

function Choice({ job, others, onChange }: Props) {
  const { words } = useShell();
  const [search, setSearch] = useState('');
  const q = useDeferredValue(search.trim());
  const query = useWorkloads({ kind: 'job', workspace: job.workspace, q: q || undefined, limit: 20 });
  const full = others.length >= MOST;
  return (
    <>
      <input
        type="search"
        className="pk-search"
        autoFocus
        aria-label={words.__('Search jobs to compare with')}
        placeholder={words.__('Search by name')}
        value={search}
        onChange={event => setSearch(event.target.value)}
      />
      {full && <p className="pk-hint">{words.__('Five jobs are the most to compare with.')}</p>}
      <Loaded query={query}>
        {({ items }) => (
          <ul className="pk-list">
            {items
              .filter(item => item.id !== job.id)
              .map(item => {
                const chosen = others.some(one => one.id === item.id);
                return (
                  <li key={item.id}>
                    <label className="pk-row">
                      <input
                        type="checkbox"
                        checked={chosen}
                        disabled={full && !chosen}
                        onChange={() => onChange(chosen ? others.filter(one => one.id !== item.id) : [...others, item])}
                      />
                      <PhaseSign phase={item.phase} />
                      <span className="pk-name">{item.name}</span>
                      <span className="pk-fact">
                        <Ago time={item.created} />
                      </span>
                    </label>
                  </li>
                );
              })}
          </ul>
        )}
      </Loaded>
    </>
  );
}

/** How a job's curve looks: its colour and its dashes, so that one does not need the colour. */
export function Mark({ at }: { at: number }) {
  return (
    <svg className="pk-mark" width="22" height="8" viewBox="0 0 22 8" aria-hidden="true">
      <line x1="0" x2="22" y1="4" y2="4" className={`pk-curve-${at}`} strokeDasharray={DASHES[at]?.join(' ')} />
    </svg>
  );
}

/** Dashes of each curve, in pixels; the first is the job itself. */
export const DASHES: number[][] = [[], [6, 3], [2, 2], [9, 3, 2, 3], [12, 3], [4, 2, 1, 2]];
