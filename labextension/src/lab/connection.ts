/** The plugin behind all others: the way to the platform, the cache, and the command that opens a view. */
import { ILabShell, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, MainAreaWidget, Notification, showDialog } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { QueryClient } from '@tanstack/react-query';

import { createApi, Problem } from '../api/client';
import type { Shell, Target } from '../ui/shell';
import { pumpkinIcon } from './icon';
import { IPumpkin, NAMES } from './tokens';
import { viewOf } from './views';
import { ViewWidget } from './widgets';

export const connection: JupyterFrontEndPlugin<IPumpkin> = {
  id: '@pumpkin/lab:connection',
  description: 'Connects JupyterLab to the Pumpkin platform.',
  autoStart: true,
  provides: IPumpkin,
  optional: [ITranslator, ICommandPalette, ILabShell],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null, palette: ICommandPalette | null) => {
    const words = (translator ?? nullTranslator).load('pumpkin');
    const language = (translator?.languageCode ?? 'en').replace('_', '-');
    const settings = app.serviceManager.serverSettings;
    const base = URLExt.join(PageConfig.getBaseUrl(), 'pumpkin/api');
    const transport = async (request: Request): Promise<Response> => {
      const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : await request.blob();
      // The API forbids caching itself; Lab's own way, a time in the query, is no parameter the API knows.
      const { method, headers, signal } = request;
      const init: RequestInit = { method, headers, body, signal, cache: 'default' };
      return ServerConnection.makeRequest(request.url, init, settings);
    };
    const shell: Shell = {
      api: createApi(base, transport),
      base,
      transport,
      headers: () => {
        const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
        return {
          ...(settings.token === '' ? {} : { Authorization: `token ${settings.token}` }),
          ...(xsrf === undefined ? {} : { 'X-XSRFToken': xsrf })
        };
      },
      words,
      language: language === 'default' ? 'en' : language,
      open: target => void app.commands.execute(NAMES.open, { target: target as never }),
      confirm: async (title, lost, verb) => {
        const buttons = [Dialog.cancelButton({ label: words.__('Cancel') }), Dialog.warnButton({ label: verb })];
        return (await showDialog({ title, body: lost, buttons })).button.accept;
      },
      announce: (text, kind) => void Notification.emit(text, kind, { autoClose: 4000 })
    };
    const cache = new QueryClient({
      defaultOptions: {
        queries: {
          retry: (count, error) => count < 2 && !(error instanceof Problem && error.status >= 400),
          staleTime: 1000
        }
      }
    });
    const pumpkin: IPumpkin = { shell, cache };
    const opened = new Map<string, MainAreaWidget>();
    app.commands.addCommand(NAMES.open, {
      label: words.__('Open a view of Pumpkin'),
      describedBy: { args: { type: 'object', properties: { target: { type: 'object' } } } },
      execute: args => {
        const target = args.target as unknown as Target;
        const view = viewOf(target, words);
        let tab = opened.get(view.id);
        if (target.view === 'new-job') {
          tab?.dispose();
          tab = undefined;
        }
        if (!tab) {
          tab = new MainAreaWidget({ content: new ViewWidget(pumpkin, view.element) });
          tab.id = `pumpkin-${view.id}`;
          tab.title.label = view.title;
          tab.title.icon = view.icon;
          tab.title.closable = true;
          opened.set(view.id, tab);
          tab.disposed.connect(() => opened.delete(view.id));
          app.shell.add(tab, 'main');
        }
        app.shell.activateById(tab.id);
      }
    });
    app.commands.addCommand(NAMES.newJob, {
      label: words.__('New Pumpkin job'),
      icon: pumpkinIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => shell.open({ view: 'new-job' })
    });
    palette?.addItem({ command: NAMES.newJob, category: 'Pumpkin' });
    return pumpkin;
  }
};
