/** The side panel. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { Panel } from '../ui/panel/Panel';
import { pumpkinIcon } from './icon';
import { IPumpkin, NAMES } from './tokens';
import { ViewWidget } from './widgets';

export const panel: JupyterFrontEndPlugin<void> = {
  id: '@pumpkin/lab:panel',
  description: 'Jobs, datasets, algorithms, models and environments beside the notebook.',
  autoStart: true,
  requires: [IPumpkin],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    pumpkin: IPumpkin,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    const { words } = pumpkin.shell;
    const widget = new ViewWidget(pumpkin, <Panel />);
    widget.id = 'pumpkin-panel';
    widget.title.icon = pumpkinIcon;
    widget.title.caption = 'Pumpkin';
    restorer?.add(widget, widget.id);
    app.shell.add(widget, 'left', { rank: 250 });
    app.commands.addCommand(NAMES.showPanel, {
      label: words.__('Show the Pumpkin panel'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(widget.id)
    });
    palette?.addItem({ command: NAMES.showPanel, category: 'Pumpkin' });
  }
};
