/** Says once when a job of the user's has ended. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { QueryObserver } from '@tanstack/react-query';

import { answer, type Schemas } from '../api/client';
import { glance, isOpen, me } from '../api/queries';
import { Ended } from './ended';
import { IPumpkin } from './tokens';

const ID = '@pumpkin/lab:notifications';

export const notifications: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tells when a Pumpkin job has ended.',
  autoStart: true,
  requires: [IPumpkin],
  optional: [ISettingRegistry],
  activate: (_app: JupyterFrontEnd, { shell, cache }: IPumpkin, registry: ISettingRegistry | null) => {
    let wanted = 'all';
    void registry?.load(ID).then(settings => {
      const read = (): void => void (wanted = settings.get('jobs').composite as string);
      settings.changed.connect(read);
      read();
    });
    const tell = (job: Pick<Schemas['WorkloadSummary'], 'id' | 'name' | 'phase' | 'message'>): void => {
      if (isOpen(job.phase) || wanted === 'none' || (wanted === 'failed' && job.phase !== 'failed')) {
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
    const ask = async (id: string): Promise<void> =>
      tell(await answer(shell.api.GET('/workloads/{workload}', { params: { path: { workload: id } } })));
    // The panel's own query; a page that is hidden looks on.
    const observer = new QueryObserver(cache, { ...glance(shell.api), refetchIntervalInBackground: true });
    void cache.query({ ...me(shell.api), retry: true, retryDelay: 5000 }).then(({ name }) => {
      const ended = new Ended(name);
      observer.subscribe(({ data, isPlaceholderData }) => {
        if (data && !isPlaceholderData) {
          const news = ended.look(data);
          news.ended.forEach(tell);
          // One that is deleted is not there to be told of.
          news.gone.forEach(id => void ask(id).catch(() => undefined));
        }
      });
    });
  }
};
