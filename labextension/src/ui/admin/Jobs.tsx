/** Everybody's jobs. */
import { JobList } from '../job/JobList';

export function Jobs({ item }: { item?: string }) {
  return <JobList everything creator={item} />;
}
