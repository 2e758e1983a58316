/** From a target to its view and its title; views are loaded when first opened, so that a shell starts as before. */
import { lazy, type ReactElement } from 'react';

import { newKey } from '../api/key';
import { kindTitle } from './kinds';
import type { PortalTarget, Target, Words } from './shell';

const JobView = lazy(async () => ({ default: (await import('./job/JobView')).JobView }));
const JobList = lazy(async () => ({ default: (await import('./job/JobList')).JobList }));
const JobForm = lazy(async () => ({ default: (await import('./submit/JobForm')).JobForm }));
const ScheduleList = lazy(async () => ({ default: (await import('./schedules/ScheduleList')).ScheduleList }));
const ScheduleView = lazy(async () => ({ default: (await import('./schedules/ScheduleView')).ScheduleView }));
const NewSchedule = lazy(async () => ({ default: (await import('./schedules/NewSchedule')).NewSchedule }));
const AssetView = lazy(async () => ({ default: (await import('./assets/AssetView')).AssetView }));
const EnvironmentList = lazy(async () => ({
  default: (await import('./environments/EnvironmentList')).EnvironmentList
}));
const EnvironmentView = lazy(async () => ({
  default: (await import('./environments/EnvironmentView')).EnvironmentView
}));
const AssetList = lazy(async () => ({ default: (await import('./assets/AssetList')).AssetList }));

export interface View {
  /** What makes two targets one view. */
  id: string;
  title: string;
  element: ReactElement;
}

/** The views both shells have. */
export type SharedTarget = Exclude<Target, PortalTarget>;

export function viewOf(target: SharedTarget, words: Words): View {
  switch (target.view) {
    case 'job':
      return { id: `job:${target.id}`, title: target.name, element: <JobView id={target.id} /> };
    case 'jobs':
      return { id: 'jobs', title: words.__('Jobs'), element: <JobList /> };
    case 'new-job':
      return {
        id: 'new-job',
        title: words.__('New job'),
        element: <JobForm key={newKey()} from={target.from} preset={target.preset} />
      };
    case 'environments':
      return { id: 'environments', title: words.__('Environments'), element: <EnvironmentList /> };
    case 'environment':
      return {
        id: `environment:${target.id}`,
        title: target.name || words.__('Environment'),
        element: <EnvironmentView id={target.id} />
      };
    case 'schedules':
      return { id: 'schedules', title: words.__('Schedules'), element: <ScheduleList /> };
    case 'schedule':
      return { id: `schedule:${target.id}`, title: target.name, element: <ScheduleView id={target.id} /> };
    case 'new-schedule':
      return {
        id: 'new-schedule',
        title: words.__('New schedule'),
        element: <NewSchedule key={newKey()} from={target.from} />
      };
    case 'asset': {
      const { kind, workspace, name, version } = target;
      const element = <AssetView kind={kind} workspace={workspace} name={name} version={version} />;
      return { id: `${kind}:${workspace}/${name}@${version ?? ''}`, title: name, element };
    }
    case 'assets':
      return {
        id: `${target.kind}s`,
        title: kindTitle(target.kind, words),
        element: <AssetList kind={target.kind} />
      };
  }
}
