/** What a request says where nothing is asked for. */
import type { Schemas } from '../../api/client';

/** A job as it is where nothing else is said: one try on one replica, with nothing left. */
export const PLAIN = {
  args: [],
  env: {},
  replicas: 1,
  roles: null,
  retries: 0,
  backoff_seconds: 5,
  deadline_seconds: null,
  budget_micro: null,
  priority: 0,
  output: null,
  notebook: null
} satisfies Partial<Schemas['JobRequest']>;
