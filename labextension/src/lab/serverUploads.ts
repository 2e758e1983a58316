/** Uploads of the notebook server's own files: the server pushes them, here they are begun, asked about and changed. */
import { problemOf, type Transport } from '../api/client';
import type { Kind } from '../ui/shell';

/** What becomes a version of what; `path` is as the file browser has it. */
export interface Wanted {
  path: string;
  kind: Kind;
  workspace: string;
  name: string;
}

/** How an upload stands; sizes are bytes. */
export interface ServerUpload extends Wanted {
  id: string;
  phase: 'sending' | 'paused' | 'verifying' | 'done' | 'failed' | 'cancelled';
  pausable: boolean;
  done: number;
  total: number;
  sent: number;
  files: number;
  total_files: number;
  number: number | null;
  error: string;
}

/** Whether nothing more happens to it by itself. */
export function hasEnded({ phase }: ServerUpload): boolean {
  return phase === 'done' || phase === 'failed' || phase === 'cancelled';
}

/** The notebook server's uploads, below `base`. */
export class ServerUploads {
  constructor(
    private readonly base: string,
    private readonly transport: Transport
  ) {}

  async list(): Promise<ServerUpload[]> {
    const { items } = (await (await this.send('GET', '')).json()) as { items: ServerUpload[] };
    return items;
  }

  async begin(wanted: Wanted): Promise<ServerUpload> {
    return (await (await this.send('POST', '', wanted)).json()) as ServerUpload;
  }

  async change(id: string, action: 'pause' | 'resume' | 'retry'): Promise<void> {
    await this.send('POST', `/${id}`, { action });
  }

  /** Gives one up that is on its way, forgets one that has ended. */
  async dismiss(id: string): Promise<void> {
    await this.send('DELETE', `/${id}`);
  }

  private async send(method: string, path: string, body?: object): Promise<Response> {
    const headers = { 'Content-Type': 'application/json' };
    const request = new Request(this.base + path, { method, headers, body: body && JSON.stringify(body) });
    const response = await this.transport(request);
    if (!response.ok) {
      throw await problemOf(response);
    }
    return response;
  }
}

/** Returns a name the platform takes, made from a file's or a folder's. */
export function suggestedName(path: string): string {
  const last = path.replace(/\/+$/, '').split('/').pop() ?? '';
  return last
    .toLowerCase()
    .replace(/\.(zip|tgz|tar(\.(gz|bz2|xz))?)$/, '')
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 63);
}
