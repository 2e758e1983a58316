/** Says once when a job of the user's has ended. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { answer, type Schemas } from '../api/client';
import { isOpen } from '../api/queries';
import { IPumpkin } from './tokens';

const LOOK_MS = 5000;

const ID = '@pumpkin/lab:notifications';

export const notifications: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tells when a Pumpkin job has ended.',
  autoStart: true,
  requires: [IPumpkin],
  optional: [ISettingRegistry],
  activate: (_app: JupyterFrontEnd, { shell }: IPumpkin, registry: ISettingRegistry | null) => {
    let wanted = 'all';
    void registry?.load(ID).then(settings => {
      const read = (): void => void (wanted = settings.get('jobs').composite as string);
      settings.changed.connect(read);
      read();
    });
    let open = new Map<string, string>();
    const look = async (): Promise<void> => {
      const { name } = await answer(shell.api.GET('/accounts/me'));
      const query = { kind: 'job' as const, creator: name, limit: 50 };
      const { items } = await answer(shell.api.GET('/workloads', { params: { query } }));
      items.filter(job => open.has(job.id) && !isOpen(job.phase)).forEach(tell);
      open = new Map(items.filter(job => isOpen(job.phase)).map(job => [job.id, job.name]));
    };
    const tell = (job: Schemas['WorkloadSummary']): void => {
      if (wanted === 'none' || (wanted === 'failed' && job.phase !== 'failed')) {
        return;
      }
      const { words } = shell;
      const said = {
        succeeded: words.__('%1 has succeeded.', job.name),
        stopped: words.__('%1 was stopped.', job.name),
        failed: words.__('%1 has failed: %2', job.name, job.message)
      }[job.phase as 'succeeded' | 'stopped' | 'failed'];
      const actions = [
        { label: words.__('Open'), callback: () => shell.open({ view: 'job', id: job.id, name: job.name }) }
      ];
      Notification.emit(said, job.phase === 'failed' ? 'error' : 'success', { autoClose: 8000, actions });
    };
    const loop = async (): Promise<void> => {
      for (;;) {
        await look().catch(() => undefined); // the panel says when the platform is away
        await new Promise(resolve => setTimeout(resolve, LOOK_MS));
      }
    };
    void loop();
  }
};
