/** The status bar's item: what runs, what waits, what the money says. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';

import { Status } from '../ui/panel/Status';
import { ownServer } from './server';
import { IPumpkin, NAMES } from './tokens';
import { ViewWidget } from './widgets';

export const status: JupyterFrontEndPlugin<void> = {
  id: '@pumpkin/lab:status',
  description: 'Running and queued Pumpkin workloads in the status bar.',
  autoStart: true,
  requires: [IPumpkin, IStatusBar],
  activate: (app: JupyterFrontEnd, pumpkin: IPumpkin, bar: IStatusBar) => {
    const show = (): void => void app.commands.execute(NAMES.showPanel);
    const item = new ViewWidget(pumpkin, <Status server={ownServer()} onOpen={show} />);
    bar.registerStatusItem('@pumpkin/lab:status', { item, align: 'left', rank: 50 });
  }
};
