/** The portal and the admin shell: the shared views in a page of their own, for whoever has no notebook running. */
import { QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';

import { newCache } from '../api/cache';
import { createApi } from '../api/client';
import { type Shell, ShellProvider } from '../ui/shell';
import { boot } from './boot';
import { Speaker } from './dialogs';
import { Frame } from './Frame';
import { Router } from './router';
import { loadWords } from './words';

async function start(): Promise<void> {
  const page = boot();
  const words = await loadWords(page.language, page.assets);
  const speaker = new Speaker();
  const router = new Router(page.base);
  const headers = (): Record<string, string> => ({ 'X-XSRFToken': page.xsrf });
  const transport = async (request: Request): Promise<Response> => {
    request.headers.set('X-XSRFToken', page.xsrf);
    const response = await fetch(request);
    if (response.status === 401) {
      location.reload(); // leads through the log-in and back to this view
    }
    return response;
  };
  const base = `${page.base}api/v1`;
  const shell: Shell = {
    // Requests are made of whole addresses.
    api: createApi(location.origin + base, transport),
    base: location.origin + base,
    portal: page.base,
    transport,
    headers,
    words,
    language: page.language,
    open: router.open,
    confirm: speaker.confirm,
    announce: speaker.announce
  };
  const cache = newCache();
  createRoot(document.getElementById('root') as HTMLElement).render(
    <ShellProvider value={shell}>
      <QueryClientProvider client={cache}>
        <Frame page={page} router={router} speaker={speaker} />
      </QueryClientProvider>
    </ShellProvider>
  );
}

void start();
