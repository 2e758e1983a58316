/** A notification for each upload of the notebook server: how far it is, and what can be done with it. */
import { Notification } from '@jupyterlab/apputils';

import { Rate } from '../api/upload/rate';
import { bytes, duration } from '../ui/format';
import { hasEnded, type ServerUpload, type ServerUploads } from './serverUploads';
import type { IPumpkin } from './tokens';

const LOOK_MS = 1000;
const AWAY_MS = 5000;
const STAYS_MS = 8000;
const TYPES: Partial<Record<ServerUpload['phase'], 'success' | 'error' | 'info'>> = {
  done: 'success',
  failed: 'error',
  cancelled: 'info'
};

/** What is told of one upload. */
interface Notice {
  id: string;
  rate: Rate;
  said: string;
}

/** Tells of all uploads until none is on its way. */
export class UploadNotices {
  private static only: UploadNotices | undefined;
  private readonly notices = new Map<string, Notice>();
  private looking = false;

  private constructor(
    private readonly uploads: ServerUploads,
    private readonly pumpkin: IPumpkin
  ) {}

  /** The one of this page. */
  static of(uploads: ServerUploads, pumpkin: IPumpkin): UploadNotices {
    return (this.only ??= new UploadNotices(uploads, pumpkin));
  }

  /** Looks, and goes on looking as long as there is something on its way. */
  look(): void {
    if (!this.looking) {
      this.looking = true;
      void this.loop().finally(() => (this.looking = false));
    }
  }

  private async loop(): Promise<void> {
    let open = true;
    while (open) {
      let pause = LOOK_MS;
      try {
        const all = await this.uploads.list();
        all.forEach(upload => this.tell(upload));
        this.forgetAllBut(all);
        open = all.some(upload => !hasEnded(upload));
      } catch {
        pause = AWAY_MS; // the server is away; what it does goes on when it is not
      }
      if (open) {
        await new Promise(resolve => setTimeout(resolve, pause));
      }
    }
  }

  /** What another page has said the end of is said once. */
  private forgetAllBut(all: ServerUpload[]): void {
    const known = new Set(all.map(upload => upload.id));
    for (const [id, notice] of this.notices) {
      if (!known.has(id)) {
        this.notices.delete(id);
        Notification.dismiss(notice.id);
      }
    }
  }

  private tell(upload: ServerUpload): void {
    const notice = this.notices.get(upload.id);
    notice?.rate.add(upload.done, performance.now());
    const message = this.message(upload, notice?.rate);
    const type = TYPES[upload.phase] ?? 'in-progress';
    const said = `${upload.phase}:${message}`;
    if (notice?.said === said) {
      return;
    }
    const moving = type === 'in-progress';
    const options = {
      actions: this.actions(upload),
      progress: moving && upload.total > 0 ? upload.done / upload.total : undefined,
      autoClose: moving || type === 'error' ? (false as const) : STAYS_MS
    };
    if (notice) {
      notice.said = said;
      Notification.update({ id: notice.id, message, type, ...options });
    } else {
      const id = Notification.emit(message, type, options);
      this.notices.set(upload.id, { id, rate: new Rate(), said });
    }
    if (upload.phase === 'done' || upload.phase === 'cancelled') {
      this.notices.delete(upload.id);
      void this.uploads.dismiss(upload.id).catch(() => undefined);
      void this.pumpkin.cache.invalidateQueries({ queryKey: ['assets', upload.kind] });
      void this.pumpkin.cache.invalidateQueries({ queryKey: ['asset', upload.kind, upload.workspace, upload.name] });
    }
  }

  private message(upload: ServerUpload, rate: Rate | undefined): string {
    const { words } = this.pumpkin.shell;
    const { path, phase, done, total, number, error } = upload;
    const what = `${upload.workspace}/${upload.name}`;
    switch (phase) {
      case 'done':
        return words.__('Version %1 of %2 is ready.', number ?? 0, what);
      case 'failed':
        return words.__('The upload of %1 has stopped: %2 What was sent is kept.', path, error);
      case 'cancelled':
        return words.__('The upload of %1 is given up.', path);
      case 'verifying':
        return words.__('The platform verifies %1.', what);
      case 'paused':
        return words.__('The upload of %1 is paused at %2 of %3.', path, bytes(done), bytes(total));
      case 'sending': {
        const second = rate?.perSecond() ?? 0;
        const parts = [words.__('Uploading %1 to %2', path, what)];
        if (total > 0) {
          parts.push(words.__('%1 of %2', bytes(done), bytes(total)));
        }
        if (second > 0) {
          parts.push(`${bytes(second)}/s`, words.__('%1 left', duration(Math.ceil((total - done) / second))));
        }
        return parts.join(' · ');
      }
    }
  }

  private actions(upload: ServerUpload): Notification.IAction[] {
    const { words, open, announce, confirm } = this.pumpkin.shell;
    const { id, kind, workspace, name, phase, pausable } = upload;
    const act = (label: string, change: () => Promise<void>): Notification.IAction => ({
      label,
      callback: event => {
        event.preventDefault(); // the notification stays: it says what came of it
        void change()
          .then(() => this.look())
          .catch((error: unknown) => announce(error instanceof Error ? error.message : String(error), 'error'));
      }
    });
    const giveUp = act(words.__('Give up'), async () => {
      const lost = words.__('What was sent so far is not kept.');
      if (await confirm(words.__('Give up this upload?'), lost, words.__('Give up'))) {
        await this.uploads.dismiss(id);
      }
    });
    switch (phase) {
      case 'done':
        return [
          {
            label: words.__('Open'),
            callback: () => open({ view: 'asset', kind, workspace, name })
          }
        ];
      case 'failed':
        return [act(words.__('Try again'), () => this.uploads.change(id, 'retry')), giveUp];
      case 'paused':
        return [act(words.__('Go on'), () => this.uploads.change(id, 'resume')), giveUp];
      case 'sending':
        return pausable ? [act(words.__('Pause'), () => this.uploads.change(id, 'pause')), giveUp] : [giveUp];
      default:
        return [];
    }
  }
}
