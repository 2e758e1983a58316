/** Starts a notebook server: a spec, and what it should find inside. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, Problem, type Schemas } from '../../api/client';
import { useBalance, useMe, useQueue, useSpecs, workloadsChanged } from '../../api/queries';
import { Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { useIntent } from '../job/actions';
import { AlgorithmPicker, DatasetsPicker, EnvironmentPicker, ModelsPicker, WorkspaceChoice } from '../submit/Inputs';
import { SpecCards } from '../submit/SpecCards';
import { firstChoice } from '../submit/specs';
import { fieldOf, type Wrong } from '../submit/draft';
import { Field } from '../field';

type Request = Schemas['NotebookRequest'];

const KEY = 'pumpkin:notebook';
const FRESH: Request = {
  workspace: null,
  environment: null,
  datasets: [],
  algorithm: null,
  models: [],
  name: '',
  spec: '',
  idle_seconds: null,
  labels: [],
  notes: ''
};

/** What was started last; a name is for one server only. */
function remembered(): Request {
  try {
    return { ...FRESH, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Request>), name: '' };
  } catch {
    return FRESH;
  }
}

export function StartNotebook() {
  const { words } = useShell();
  const specs = useSpecs('notebook');
  return (
    <section aria-labelledby="pk-start">
      <h2 id="pk-start">{words.__('Start a notebook')}</h2>
      <Loaded query={specs} lines={6}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.__('There is no spec you may use: ask an admin.')}</Empty>
          ) : (
            <Form specs={items} />
          )
        }
      </Loaded>
    </section>
  );
}

function Form({ specs }: { specs: Schemas['Spec'][] }) {
  const { api, words, open, announce } = useShell();
  const cache = useQueryClient();
  const { data: me } = useMe();
  const { data: queue } = useQueue();
  const { data: balance } = useBalance(me?.name);
  const intent = useIntent();
  const [request, setRequest] = useState(remembered);
  const free = queue && new Set(queue.free_specs.map(spec => spec.name));
  const spec = request.spec || firstChoice(specs, free);
  const change = (part: Partial<Request>): void => setRequest({ ...request, ...part });
  const start = useMutation({
    mutationFn: async () => {
      const body = { ...request, spec };
      const headers = intent.header(JSON.stringify(body));
      return answer(api.POST('/workloads/notebooks', { body, headers }));
    },
    onSuccess: made => {
      intent.done();
      localStorage.setItem(KEY, JSON.stringify({ ...request, spec }));
      open({ view: 'waiting', id: made.id });
    },
    onError: error => announce(error.message, 'error'),
    onSettled: () => workloadsChanged(cache)
  });
  const wrong: Wrong[] =
    start.error instanceof Problem ? start.error.errors.map(each => ({ ...each, field: fieldOf(each.field) })) : [];
  return (
    <form
      className="pk-start"
      onSubmit={event => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <SpecCards
        kind="notebook"
        specs={specs}
        free={free}
        value={spec}
        onChange={chosen => change({ spec: chosen })}
        workspace={request.workspace ?? ''}
        currency={balance?.currency ?? ''}
      />
      <details>
        <summary>{words.__('Name, environment, data')}</summary>
        <div className="pk-fields">
          <Details request={request} onChange={change} wrong={wrong} />
        </div>
      </details>
      <div className="pk-form-actions">
        <button type="submit" className="pk-button pk-primary" disabled={start.isPending}>
          {words.__('Start')}
        </button>
      </div>
    </form>
  );
}

function Details({
  request,
  onChange,
  wrong
}: {
  request: Request;
  onChange: (part: Partial<Request>) => void;
  wrong: readonly Wrong[];
}) {
  const { words } = useShell();
  return (
    <>
      <Field name="name" label={words.__('Name')} wrong={wrong}>
        {control => (
          <input
            {...control}
            className="pk-input"
            maxLength={63}
            placeholder={words.__('empty: your default notebook')}
            value={request.name}
            onChange={event => onChange({ name: event.target.value })}
          />
        )}
      </Field>
      <WorkspaceChoice
        value={request.workspace ?? ''}
        onChange={workspace => onChange({ workspace: workspace || null })}
        wrong={wrong}
      />
      <EnvironmentPicker
        value={request.environment ?? ''}
        onChange={environment => onChange({ environment: environment || null })}
        wrong={wrong}
      />
      <DatasetsPicker value={request.datasets} onChange={datasets => onChange({ datasets })} wrong={wrong} />
      <AlgorithmPicker
        value={request.algorithm ?? ''}
        onChange={algorithm => onChange({ algorithm: algorithm || null })}
        wrong={wrong}
      />
      <ModelsPicker value={request.models} onChange={models => onChange({ models })} wrong={wrong} />
      <Field name="idle_seconds" label={words.__('Stop if idle')} wrong={wrong}>
        {control => (
          <select
            {...control}
            className="pk-input"
            value={request.idle_seconds ?? ''}
            onChange={event => onChange({ idle_seconds: Number(event.target.value) || null })}
          >
            <option value="">{words.__('never')}</option>
            <option value="1800">{words.__('after %1', '30 min')}</option>
            <option value="7200">{words.__('after %1', '2 h')}</option>
            <option value="28800">{words.__('after %1', '8 h')}</option>
          </select>
        )}
      </Field>
    </>
  );
}
