/** Which jobs are listed. */
import { useId } from 'react';

import { useMe, type Workload } from '../../api/queries';
import { phaseName } from '../parts';
import { useShell } from '../shell';

type Phase = Workload['phase'];

export interface Filter {
  q: string;
  /** A phase, `open` for all that are on their way, or nothing. */
  phase: '' | 'open' | Phase;
  workspace: string;
  label: string;
  creator: string;
}

export const NO_FILTER: Filter = { q: '', phase: '', workspace: '', label: '', creator: '' };
const OPEN: Phase[] = ['queued', 'preparing', 'running', 'stopping'];
const ENDED: Phase[] = ['succeeded', 'failed', 'stopped'];

/** Returns the phases to ask for. */
export function phasesOf(phase: Filter['phase']): Phase[] | undefined {
  return phase === '' ? undefined : phase === 'open' ? OPEN : [phase];
}

interface Props {
  filter: Filter;
  onChange: (filter: Filter) => void;
  /** Labels that are known. */
  labels: string[];
  /** Whether everybody's are listed, so that one may ask for somebody's. */
  everything: boolean;
}

export function JobFilters({ filter, onChange, labels, everything }: Props) {
  const { words } = useShell();
  const { data: me } = useMe();
  const id = useId();
  const workspaces = me?.workspaces.map(item => item.workspace) ?? [];
  return (
    <>
      <input
        type="search"
        className="pk-search"
        aria-label={words.__('Search jobs by name')}
        placeholder={words.__('Search by name')}
        value={filter.q}
        onChange={event => onChange({ ...filter, q: event.target.value })}
      />
      <select
        aria-label={words.__('Phase')}
        value={filter.phase}
        onChange={event => onChange({ ...filter, phase: event.target.value as Filter['phase'] })}
      >
        <option value="">{words.__('any phase')}</option>
        <option value="open">{words.__('on their way')}</option>
        {[...OPEN, ...ENDED].map(phase => (
          <option key={phase} value={phase}>
            {phaseName(phase, words)}
          </option>
        ))}
      </select>
      {workspaces.length > 1 && (
        <select
          aria-label={words.__('Workspace')}
          value={filter.workspace}
          onChange={event => onChange({ ...filter, workspace: event.target.value })}
        >
          <option value="">{words.__('all workspaces')}</option>
          {workspaces.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      <input
        className="pk-field"
        list={id}
        aria-label={words.__('Label')}
        placeholder={words.__('Label')}
        value={filter.label}
        onChange={event => onChange({ ...filter, label: event.target.value })}
      />
      {everything && (
        <input
          className="pk-field"
          aria-label={words.__('User')}
          placeholder={words.__('User')}
          value={filter.creator}
          onChange={event => onChange({ ...filter, creator: event.target.value })}
        />
      )}
      <datalist id={id}>
        {labels.map(label => (
          <option key={label} value={label} />
        ))}
      </datalist>
    </>
  );
}
