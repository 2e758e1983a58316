/** The bar below a cell: where its job is, and a result that could not go into it. */
import { useState } from 'react';

import { Problem } from '../../api/client';
import { useWorkload } from '../../api/queries';
import { PhaseSign, phaseName } from '../parts';
import { useShell } from '../shell';
import { Compared } from './Compared';
import type { Beside, Out, Output } from './document';
import { Outputs } from './Outputs';

interface Props {
  /** The cell's id. */
  cell: string;
  out: Out | undefined;
  beside: Beside | undefined;
  source: string;
  /** Whether its source is another now than was sent. */
  isEdited: boolean;
  outputs: () => Output[];
  onUse: () => void;
  onDiscard: () => void;
  /** The job is no more: the cell is not out any longer. */
  onForget: () => void;
}

export function CellBar({ out, beside, isEdited, onForget, ...rest }: Props) {
  const isOver = beside && (out?.job !== beside.job || !['running', 'waiting'].includes(out.state));
  return (
    <div className="pk-cell-bar">
      {out && !isOver && <IsOut out={out} isEdited={isEdited} onForget={onForget} />}
      {isOver && <IsBeside beside={beside} {...rest} />}
    </div>
  );
}

function IsOut({ out, isEdited, onForget }: { out: Out; isEdited: boolean; onForget: () => void }) {
  const { words, open } = useShell();
  const { data, error } = useWorkload(out.job);
  if (error instanceof Problem && error.status === 404) {
    return (
      <p className="pk-cell-bar-line" role="status">
        <span>{words.__('Its job was deleted.')}</span>
        <button type="button" className="pk-button" onClick={onForget}>
          {words.__('Dismiss')}
        </button>
      </p>
    );
  }
  const isHere = data?.phase === 'running';
  const state = {
    waiting: words.__('waits for the cells before it'),
    running: words.__('running'),
    done: words.__('done'),
    failed: words.__('failed'),
    skipped: words.__('not run')
  }[out.state];
  return (
    <p className="pk-cell-bar-line" role="status">
      {data && <PhaseSign phase={isHere ? signOf(out) : data.phase} />}
      <span>{words.__('Out as job')}</span>
      <button type="button" className="pk-link" onClick={() => open({ view: 'job', id: out.job, name: out.name })}>
        {out.name}
      </button>
      <span className="pk-fact">{isHere || !data ? state : phaseName(data.phase, words)}</span>
      {isEdited && (
        <span className="pk-fact">{words.__('You have edited the cell: its result will be kept beside it.')}</span>
      )}
    </p>
  );
}

function signOf({ state }: Out) {
  return ({ waiting: 'queued', running: 'running', done: 'succeeded', failed: 'failed', skipped: 'stopped' } as const)[
    state
  ];
}

function IsBeside({
  cell,
  beside,
  source,
  outputs,
  onUse,
  onDiscard
}: { beside: Beside } & Omit<Props, 'out' | 'beside' | 'isEdited' | 'onForget'>) {
  const { words, open } = useShell();
  const [shown, setShown] = useState<'' | 'result' | 'both'>('');
  const toggle = (what: 'result' | 'both'): void => setShown(shown === what ? '' : what);
  return (
    <section aria-label={words.__('A result beside this cell')}>
      <p className="pk-cell-bar-line">
        <PhaseSign phase={beside.state === 'failed' ? 'failed' : 'succeeded'} />
        <span>
          {words.__('Job')}{' '}
          <button
            type="button"
            className="pk-link"
            onClick={() => open({ view: 'job', id: beside.job, name: beside.name })}
          >
            {beside.name}
          </button>{' '}
          {words.__('has a result for this cell as it was.')}
        </span>
        <span className="pk-cell-bar-actions">
          <button
            type="button"
            className="pk-button"
            aria-expanded={shown === 'result'}
            onClick={() => toggle('result')}
          >
            {words.__('Show')}
          </button>
          <button type="button" className="pk-button" aria-expanded={shown === 'both'} onClick={() => toggle('both')}>
            {words.__('Compare')}
          </button>
          <button type="button" className="pk-button" onClick={onUse}>
            {words.__('Use it')}
          </button>
          <button type="button" className="pk-button" onClick={onDiscard}>
            {words.__('Discard')}
          </button>
        </span>
      </p>
      {shown === 'result' && <Outputs outputs={beside.outputs} />}
      {shown === 'both' && <Compared cell={cell} beside={beside} source={source} outputs={outputs()} />}
    </section>
  );
}
