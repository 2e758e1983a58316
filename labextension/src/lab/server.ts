/** The workload this Lab's own server is, "" when the platform did not start it; pumpkin_server tells. */
import { PageConfig } from '@jupyterlab/coreutils';

export function ownServer(): string {
  return PageConfig.getOption('pumpkinWorkload');
}
