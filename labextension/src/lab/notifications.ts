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
    let creator = '';
    let known: Set<string> | undefined;
    const look = async (): Promise<void> => {
      creator ||= (await answer(shell.api.GET('/accounts/me'))).name;
      const query = { kind: 'job' as const, creator, limit: 50 };
      const { items } = await answer(shell.api.GET('/workloads', { params: { query } }));
      const ended = items.filter(job => !isOpen(job.phase));
      // What had ended before the Lab was opened is no news.
      ended.filter(job => known && !known.has(job.id)).forEach(tell);
      known = new Set(ended.map(job => job.id));
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
