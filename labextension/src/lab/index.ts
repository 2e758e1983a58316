/** The JupyterLab plugins; each can be switched off by itself. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { connection } from './connection';
import { launcher } from './launcher';
import { notifications } from './notifications';
import { panel } from './panel';
import { status } from './status';

const plugins: JupyterFrontEndPlugin<unknown>[] = [connection, panel, launcher, status, notifications];

export default plugins;
export { IPumpkin } from './tokens';
