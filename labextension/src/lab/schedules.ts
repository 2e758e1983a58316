/** A command for the schedules of jobs. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { pumpkinIcon } from './icon';
import { IPumpkin, NAMES } from './tokens';

export const schedules: JupyterFrontEndPlugin<void> = {
  id: '@pumpkin/lab:schedules',
  description: 'Opens the schedules of Pumpkin jobs.',
  autoStart: true,
  requires: [IPumpkin],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, { shell }: IPumpkin, palette: ICommandPalette | null) => {
    app.commands.addCommand(NAMES.schedules, {
      label: shell.words.__('Pumpkin schedules'),
      icon: pumpkinIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => shell.open({ view: 'schedules' })
    });
    palette?.addItem({ command: NAMES.schedules, category: 'Pumpkin' });
  }
};
