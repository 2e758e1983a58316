import { useWorkload } from '../../api/queries';
import { Loaded, PhaseSign } from '../parts';

/** One job: how it stands, its curves, log and what it used. */
export function JobView({ id }: { id: string }) {
  return (
    <Loaded query={useWorkload(id)}>
      {job => (
        <h1>
          <PhaseSign phase={job.phase} /> {job.name}
        </h1>
      )}
    </Loaded>
  );
}
