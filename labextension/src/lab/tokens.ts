/** What other extensions may ask of Pumpkin in JupyterLab. */
import { Token } from '@lumino/coreutils';
import type { QueryClient } from '@tanstack/react-query';

import type { Shell } from '../ui/shell';

export const IPumpkin = new Token<IPumpkin>(
  '@pumpkin/lab:IPumpkin',
  'The connection to the Pumpkin platform, and the place to open its views.'
);

export interface IPumpkin {
  readonly shell: Shell;
  /** What has been read so far; shared by all views. */
  readonly cache: QueryClient;
}

export const NAMES = {
  open: 'pumpkin:open',
  newJob: 'pumpkin:new-job',
  runNotebook: 'pumpkin:run-notebook',
  runFromHere: 'pumpkin:run-from-here',
  runCells: 'pumpkin:run-cells',
  schedules: 'pumpkin:schedules',
  showPanel: 'pumpkin:show-panel'
} as const;
