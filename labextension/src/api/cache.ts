/** What has been read so far, shared by all views of a page. */
import { QueryClient } from '@tanstack/react-query';

import { Problem } from './client';

export function newCache(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // A platform on this machine or in this house answers though the browser thinks that it is offline, and one
        // that does not answer is to be said so: what is shown is old then.
        networkMode: 'always',
        retry: (count, error) => count < 2 && !(error instanceof Problem && error.status >= 400),
        staleTime: 1000
      },
      mutations: { networkMode: 'always' }
    }
  });
}
