/** Asks on what to run a notebook, and notes in its cells that they are out. */
import { PageConfig } from '@jupyterlab/coreutils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Widget } from '@lumino/widgets';

import type { Workload } from '../api/queries';
import type { NotebookDocument } from '../ui/notebook/document';
import type { Scope, Snapshot } from '../ui/notebook/request';
import { type Origin, RunDialog } from '../ui/notebook/RunDialog';
import { notesOf, runnable } from '../ui/notebook/sending';
import { noteSent } from './notebookCells';
import { dropSent, keepSent } from './notebookJournal';
import type { IPumpkin } from './tokens';
import { ViewWidget } from './widgets';

/** What has to be known of a job to land its results. */
export interface Sent {
  id: string;
  path: string;
}

/** Opens the dialog for a notebook; `follow` is told when it was submitted and noted. */
export function ask(pumpkin: IPumpkin, panel: NotebookPanel, scope: Scope, follow: (sent: Sent) => void): void {
  const origin: Origin = {
    path: panel.context.path,
    snapshot: () => snapshotOf(panel),
    environment: environmentOf(panel),
    server: PageConfig.getOption('pumpkinWorkload')
  };
  const onSent = async (job: Workload, snapshot: Snapshot, cells: string[]): Promise<void> => {
    await note(panel, job, snapshot, cells);
    follow({ id: job.id, path: panel.context.path });
  };
  const view = <RunDialog origin={origin} scope={scope} onSent={onSent} onClose={() => widget.dispose()} />;
  const widget = new ViewWidget(pumpkin, view);
  widget.addClass('pk-dialog-host');
  Widget.attach(widget, document.body);
}

function snapshotOf(panel: NotebookPanel): Snapshot {
  const notebook = panel.content;
  const whole = panel.context.model.toJSON() as unknown as NotebookDocument;
  // An older file gives its cells no ids; in the model they have some, and keep them once it is saved in this format.
  const cells = whole.cells.map((cell, at) => ({ ...cell, id: panel.context.model.cells.get(at).id }));
  const document = { ...whole, cells, nbformat_minor: Math.max(whole.nbformat_minor, 5) };
  const chosen = new Set(notebook.widgets.filter(cell => notebook.isSelectedOrActive(cell)).map(cell => cell.model.id));
  return {
    document,
    cells: {
      all: runnable(cells),
      from: runnable(cells.slice(notebook.activeCellIndex)),
      cells: runnable(cells.filter(cell => chosen.has(cell.id)))
    }
  };
}

/** The environment of the notebook's kernel when it is one of the platform's, else that of its server. */
function environmentOf(panel: NotebookPanel): string {
  const { specsManager, session, kernelPreference } = panel.sessionContext;
  const name = session?.kernel?.name ?? kernelPreference.name ?? '';
  const metadata = specsManager.specs?.kernelspecs[name]?.metadata as
    { pumpkin?: { environment?: string } } | undefined;
  return metadata?.pumpkin?.environment ?? PageConfig.getOption('pumpkinEnvironment');
}

async function note(panel: NotebookPanel, job: Workload, snapshot: Snapshot, sent: string[]): Promise<void> {
  const { context } = panel;
  const notes = notesOf(snapshot.document, sent, job);
  keepSent(job.id, notes);
  // The interface calls it read-only; the document that implements it can be brought to the format that keeps ids.
  const shared = context.model.sharedModel as { nbformat_minor: number };
  shared.nbformat_minor = Math.max(shared.nbformat_minor, 5);
  noteSent(context.model.cells, notes);
  await context.save();
  dropSent(job.id);
}
