/** Notebooks as jobs: the commands, and what lands their results. All but the commands is loaded when it is needed. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type Notebook } from '@jupyterlab/notebook';

import type { Scope } from '../ui/notebook/request';
import { pumpkinIcon } from './icon';
import { IPumpkin, NAMES } from './tokens';

export const notebooks: JupyterFrontEndPlugin<void> = {
  id: '@pumpkin/lab:notebooks',
  description: 'Runs notebooks and cells as jobs, and brings their results back into the notebook.',
  autoStart: true,
  requires: [IPumpkin, INotebookTracker],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, pumpkin: IPumpkin, tracker: INotebookTracker, palette: ICommandPalette | null) => {
    const { words } = pumpkin.shell;
    const landing = app.restored.then(async () => {
      const { Landing } = await import('./notebookLanding');
      return new Landing(pumpkin, tracker, app.serviceManager.contents);
    });
    /** A context menu opened in a cell's editor leaves another cell active. */
    const activatePointed = (notebook: Notebook): void => {
      const node = app.contextMenuHitTest(each => each.classList.contains('jp-CodeCell'));
      const index = notebook.widgets.findIndex(cell => cell.node === node);
      const cell = notebook.widgets[index];
      if (cell && !notebook.isSelectedOrActive(cell)) {
        notebook.deselectAll();
        notebook.activeCellIndex = index;
      }
    };
    const add = (command: string, scope: Scope, label: string, caption: string): void => {
      app.commands.addCommand(command, {
        label: args => (args.toolbar === true ? '' : label),
        caption,
        icon: scope === 'all' ? pumpkinIcon : undefined,
        isEnabled: () => tracker.currentWidget !== null && tracker.currentWidget === app.shell.currentWidget,
        describedBy: {
          args: { type: 'object', properties: { toolbar: { type: 'boolean' }, pointed: { type: 'boolean' } } }
        },
        execute: async args => {
          const panel = tracker.currentWidget;
          if (panel) {
            if (args.pointed === true) {
              activatePointed(panel.content);
            }
            const [{ ask }, lands] = await Promise.all([import('./notebookSubmit'), landing]);
            ask(pumpkin, panel, scope, job => lands.sent(job));
          }
        }
      });
      palette?.addItem({ command, category: 'Pumpkin' });
    };
    add(NAMES.runNotebook, 'all', words.__('Run as job'), words.__('Run this notebook as a job on a spec you choose'));
    add(
      NAMES.runFromHere,
      'from',
      words.__('Run from here as a job'),
      words.__('Run this cell and all below as a job')
    );
    add(NAMES.runCells, 'cells', words.__('Run this cell as a job'), words.__('Run the selected cells as a job'));
    tracker.selectionChanged.connect(() => app.commands.notifyCommandChanged(NAMES.runNotebook));
  }
};
