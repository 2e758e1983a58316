/** Lowers what workloads may have of a node. */
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';

import { answer } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { useShell } from '../shell';
import { bytesOf, coresText, gibText, milliOf } from './amounts';
import { type Node, onlyAt } from './queries';

export function NodeLimits({ node }: { node: Node }) {
  const { api, words, announce } = useShell();
  const cache = useQueryClient();
  const change = useAct();
  const [cores, setCores] = useState(node.cpu_milli_limit === null ? '' : coresText(node.cpu_milli_limit));
  const [memory, setMemory] = useState(node.memory_limit === null ? '' : gibText(node.memory_limit));
  const [off, setOff] = useState<ReadonlySet<number>>(new Set(node.accelerators_off));
  const save = async (): Promise<void> => {
    await answer(
      api.PATCH('/resources/nodes/{node}', {
        params: { path: { node: node.name } },
        headers: onlyAt(node.revision),
        // What was not touched is sent as it was: GiB are rounded.
        body: {
          cpu_milli_limit: milliOf(cores),
          memory_limit: memory === gibText(node.memory_limit ?? -1) ? node.memory_limit : bytesOf(memory),
          accelerators_off: [...off].sort((a, b) => a - b)
        }
      })
    );
    announce(words.__('What workloads may have of %1 is changed.', node.name), 'success');
    await cache.invalidateQueries({ queryKey: ['nodes'] });
  };
  const toggle = (index: number): void => {
    const next = new Set(off);
    if (!next.delete(index)) {
      next.add(index);
    }
    setOff(next);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.act(save);
  };
  return (
    <form className="pk-asset-form" aria-labelledby="pk-node-limits" onSubmit={submit}>
      <h2 id="pk-node-limits">{words.__('For workloads')}</h2>
      <p className="pk-quiet">{words.__('Empty means all of it. What runs keeps what it holds.')}</p>
      <div className="pk-asset-form-row">
        <Field label={words.__('Cores, of %1', coresText(node.cpu_milli))} name="cpu_milli_limit" error={change.error}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              type="number"
              min="0.001"
              max={node.cpu_milli / 1000}
              step="any"
              value={cores}
              onChange={event => setCores(event.target.value)}
            />
          )}
        </Field>
        <Field label={words.__('Memory in GiB, of %1', gibText(node.memory))} name="memory_limit" error={change.error}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              type="number"
              min="0.001"
              step="any"
              value={memory}
              onChange={event => setMemory(event.target.value)}
            />
          )}
        </Field>
      </div>
      {node.accelerators.length > 0 && (
        <fieldset className="pk-choices">
          <legend>{words.__('Accelerators workloads may have')}</legend>
          {node.accelerators.map(({ index, type }) => (
            <label key={index} className="pk-asset-check">
              <input type="checkbox" checked={!off.has(index)} onChange={() => toggle(index)} />
              {index} <span className="pk-fact">{type}</span>
            </label>
          ))}
        </fieldset>
      )}
      <Refusal error={change.error} fields={['cpu_milli_limit', 'memory_limit']} />
      <div className="pk-asset-form-end">
        <button type="submit" className="pk-button pk-primary" disabled={change.busy}>
          {words.__('Save')}
        </button>
      </div>
    </form>
  );
}
