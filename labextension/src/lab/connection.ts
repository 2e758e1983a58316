/** The plugin behind all others: the way to the platform, the cache, and the command that opens a view. */
import { ILabShell, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, MainAreaWidget, Notification, showDialog } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { newCache } from '../api/cache';
import { createApi } from '../api/client';
import { addressOf } from '../ui/address';
import { isPortal, type Shell, type Target } from '../ui/shell';
import { viewOf } from '../ui/views';
import { pumpkinIcon } from './icon';
import { IPumpkin, NAMES } from './tokens';
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
      portal: PageConfig.getOption('hubPrefix').replace(/hub\/$/, 'services/pumpkin/'),
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
      insert: code => {
        const notebooks = [...app.shell.widgets('main')].filter(widget => widget.hasClass('jp-NotebookPanel'));
        if (notebooks.length === 0) {
          shell.announce(words.__('Open a notebook first: the code goes where its cursor is.'), 'info');
          return;
        }
        void app.commands.execute('notebook:replace-selection', { text: code });
      },
      openFile: path => void app.commands.execute('docmanager:open', { path }),
      confirm: async (title, lost, verb) => {
        const buttons = [Dialog.cancelButton({ label: words.__('Cancel') }), Dialog.warnButton({ label: verb })];
        return (await showDialog({ title, body: lost, buttons })).button.accept;
      },
      announce: (text, kind) => void Notification.emit(text, kind, { autoClose: 4000 })
    };
    const cache = newCache();
    const pumpkin: IPumpkin = { shell, cache };
    const opened = new Map<string, MainAreaWidget>();
    app.commands.addCommand(NAMES.open, {
      label: words.__('Open a view of Pumpkin'),
      describedBy: { args: { type: 'object', properties: { target: { type: 'object' } } } },
      execute: args => {
        const target = args.target as unknown as Target;
        if (isPortal(target)) {
          window.open(shell.portal + addressOf(target), '_blank');
          return;
        }
        const view = viewOf(target, words);
        let tab = opened.get(view.id);
        if (target.view === 'new-job' || target.view === 'new-schedule') {
          tab?.dispose();
          tab = undefined;
        }
        if (!tab) {
          tab = new MainAreaWidget({ content: new ViewWidget(pumpkin, view.element) });
          tab.id = `pumpkin-${view.id}`;
          tab.title.label = view.title;
          tab.title.icon = pumpkinIcon;
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
