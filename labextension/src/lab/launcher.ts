/** A card in the Launcher. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';

import { IPumpkin, NAMES } from './tokens';

export const launcher: JupyterFrontEndPlugin<void> = {
  id: '@pumpkin/lab:launcher',
  description: 'Starts a Pumpkin job from the Launcher.',
  autoStart: true,
  requires: [IPumpkin, ILauncher],
  activate: (_app: JupyterFrontEnd, _pumpkin: IPumpkin, launch: ILauncher) => {
    launch.add({ command: NAMES.newJob, category: 'Pumpkin', rank: 1 });
  }
};
