import { type JobDraft, useShell } from '../shell';

/** The form of a new job; `from` is a job to start from, `preset` what is known already. */
export function JobForm({ from, preset }: { from?: string; preset?: Partial<JobDraft> }) {
  const { words } = useShell();
  return (
    <h1>
      {words.__('New job')} {from ?? preset?.name}
    </h1>
  );
}
