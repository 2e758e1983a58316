import { useShell } from '../shell';

/** All jobs one may see, to filter and to act on many. */
export function JobList() {
  const { words } = useShell();
  return <h1>{words.__('Jobs')}</h1>;
}
