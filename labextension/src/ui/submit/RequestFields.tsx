/** The request of a job that is submitted later, as the fields of a job's form. */
import { useState } from 'react';

import type { Schemas } from '../../api/client';
import { useBalance, useMe, useQueue, useSpecs } from '../../api/queries';
import { Failure, Skeleton } from '../parts';
import { useShell } from '../shell';
import { type Draft, fromRequest, toRequest } from './draft';
import { freeSpecs } from './JobForm';
import { JobBody } from './JobBody';
import { useRefusals } from './refusals';

type JobRequest = Schemas['JobRequest'];

interface Props {
  request: JobRequest;
  /** Told what is typed, null while it cannot be submitted. */
  onChange: (request: JobRequest | null) => void;
}

export function RequestFields(props: Props) {
  const me = useMe();
  const specs = useSpecs();
  const queue = useQueue();
  const error = me.error ?? specs.error;
  if (error && (!me.data || !specs.data)) {
    return <Failure error={error} retry={() => void Promise.all([me.refetch(), specs.refetch()])} />;
  }
  if (!me.data || !specs.data) {
    return <Skeleton lines={8} />;
  }
  return <Fields {...props} me={me.data} specs={specs.data.items} free={queue.data && freeSpecs(queue.data)} />;
}

function Fields({
  request,
  onChange,
  me,
  specs,
  free
}: Props & { me: Schemas['Me']; specs: Schemas['Spec'][]; free: ReadonlySet<string> | undefined }) {
  const { words } = useShell();
  const [draft, setDraft] = useState(() => fromRequest(request));
  const [more, setMore] = useState(false);
  const typed = toRequest(draft, words);
  const { estimate, refused } = useRefusals(typed.request, null);
  const { data: balance } = useBalance(draft.workspace || me.name);
  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    const { request: made, wrong } = toRequest(next, words);
    onChange(wrong.length === 0 ? made : null);
  };
  return (
    <div className="pk-fields">
      <JobBody
        {...{ draft, me, specs, free, estimate, more }}
        wrong={[...typed.wrong, ...refused]}
        currency={balance?.currency ?? ''}
        need={request.spec ?? undefined}
        onChange={change}
        onMore={setMore}
      />
    </div>
  );
}
