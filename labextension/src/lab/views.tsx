/** From a target to its view, its title and the id that makes it one tab. */
import type { LabIcon } from '@jupyterlab/ui-components';
import { lazy, type ReactElement } from 'react';

import type { Target, Words } from '../ui/shell';
import { pumpkinIcon } from './icon';
import { newKey } from '../api/key';

const JobView = lazy(async () => ({ default: (await import('../ui/job/JobView')).JobView }));
const JobList = lazy(async () => ({ default: (await import('../ui/job/JobList')).JobList }));
const JobForm = lazy(async () => ({ default: (await import('../ui/submit/JobForm')).JobForm }));
const AssetView = lazy(async () => ({ default: (await import('../ui/assets/AssetView')).AssetView }));
const AssetList = lazy(async () => ({ default: (await import('../ui/assets/AssetList')).AssetList }));

export interface View {
  id: string;
  title: string;
  icon: LabIcon;
  element: ReactElement;
}

export function viewOf(target: Target, words: Words): View {
  const icon = pumpkinIcon;
  switch (target.view) {
    case 'job':
      return { id: `job:${target.id}`, title: target.name, icon, element: <JobView id={target.id} /> };
    case 'jobs':
      return { id: 'jobs', title: words.__('Jobs'), icon, element: <JobList /> };
    case 'new-job':
      return {
        id: 'new-job',
        title: words.__('New job'),
        icon,
        element: <JobForm key={newKey()} from={target.from} preset={target.preset} />
      };
    case 'asset': {
      const { kind, workspace, name, version } = target;
      const element = <AssetView kind={kind} workspace={workspace} name={name} version={version} />;
      return { id: `${kind}:${workspace}/${name}@${version ?? ''}`, title: name, icon, element };
    }
    case 'assets': {
      const titles = {
        dataset: words.__('Datasets'),
        algorithm: words.__('Algorithms'),
        model: words.__('Models')
      };
      return { id: `${target.kind}s`, title: titles[target.kind], icon, element: <AssetList kind={target.kind} /> };
    }
  }
}
