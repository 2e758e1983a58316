/** What shared views need of the shell they are in: JupyterLab, or the portal. */
import { createContext, useContext } from 'react';

import type { Api, Transport } from '../api/client';

export type Kind = 'dataset' | 'algorithm' | 'model';

/** A view to open. `from` fills a new job's form with another job's request. */
export type Target =
  | { view: 'job'; id: string; name: string }
  | { view: 'new-job'; from?: string; preset?: Partial<JobDraft> }
  | { view: 'asset'; kind: Kind; workspace: string; name: string; version?: number }
  | { view: 'assets'; kind: Kind }
  | { view: 'jobs' }
  | { view: 'environments' }
  | { view: 'environment'; id: string; name: string }
  | { view: 'schedules' }
  | { view: 'schedule'; id: string; name: string }
  /** `from` is the job to repeat. */
  | { view: 'new-schedule'; from?: string }
  | PortalTarget;

/**
 * A view only the portal has; JupyterLab opens it in a tab of the browser. `then` is where a started notebook leads,
 * `item` what a section of the admin shell is narrowed to: a node, a user, a workspace.
 */
export type PortalTarget =
  | { view: 'home' }
  | { view: 'waiting'; id: string; then?: string }
  | { view: 'account' }
  | { view: 'workspaces' }
  | { view: 'workspace'; name: string }
  | { view: 'admin'; section?: AdminSection; item?: string };

const PORTAL: PortalTarget['view'][] = ['home', 'waiting', 'account', 'workspaces', 'workspace', 'admin'];

export function isPortal(target: Target): target is PortalTarget {
  return (PORTAL as string[]).includes(target.view);
}

export const ADMIN_SECTIONS = [
  'overview',
  'nodes',
  'queue',
  'jobs',
  'specs',
  'users',
  'workspaces',
  'assets',
  'billing',
  'audit'
] as const;
export type AdminSection = (typeof ADMIN_SECTIONS)[number];

/** What is known of a job before its form is opened. */
export interface JobDraft {
  name: string;
  command: string;
  spec: string;
  datasets: string[];
  algorithm: string;
  models: string[];
  environment: string;
}

/** Translates; the domain's catalogue is the shell's. `%1`, `%2` … stand for the values, of `_n` for `n` and the values. */
export interface Words {
  __: (text: string, ...values: (string | number)[]) => string;
  _n: (one: string, many: string, n: number, ...values: (string | number)[]) => string;
}

export interface Shell {
  api: Api;
  /** The API's address without its last slash, for streams, downloads and pictures. */
  base: string;
  /** The portal's address with its last slash: `portal + addressOf(target)` is a link to a view. */
  portal: string;
  transport: Transport;
  /** Headers that let in a request outside of `transport`: of an upload that tells how far it is, which fetch cannot. */
  headers?: () => Record<string, string>;
  words: Words;
  /** A BCP 47 tag for dates and numbers. */
  language: string;
  open: (target: Target) => void;
  /** Puts code where the cursor of the notebook in use is; for shells that have notebooks. */
  insert?: (code: string) => void;
  /** Opens a file of the user's home; a shell outside of a notebook server cannot. */
  openFile?: (path: string) => void;
  /** Asks before what cannot be undone; `lost` says what is lost. */
  confirm: (title: string, lost: string, verb: string) => Promise<boolean>;
  /** Says something once, quietly. */
  announce: (text: string, kind: 'info' | 'success' | 'error') => void;
}

const Context = createContext<Shell | null>(null);
export const ShellProvider = Context.Provider;

/** Returns the shell this view is in. */
export function useShell(): Shell {
  const shell = useContext(Context);
  if (!shell) {
    throw new Error('a view of Pumpkin is outside its shell');
  }
  return shell;
}
