/** The JupyterLab plugins; each can be switched off by itself. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { connection } from './connection';
import { launcher } from './launcher';
import { notebooks } from './notebooks';
import { notifications } from './notifications';
import { panel } from './panel';
import { schedules } from './schedules';
import { status } from './status';
import { upload } from './upload';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  connection,
  panel,
  schedules,
  launcher,
  status,
  notifications,
  notebooks,
  upload
];

export default plugins;
export { IPumpkin } from './tokens';
