/** An archive as it is: the platform unpacks it. A break means beginning again. */
import type { Api, Schemas } from '../client';
import { put, type Way } from './send';
import { Upload, type Place } from './upload';

export class ArchiveUpload extends Upload {
  readonly pausable = false;

  constructor(
    api: Api,
    way: Way,
    place: Place,
    private readonly archive: Blob,
    private readonly format: 'zip' | 'tar'
  ) {
    super(api, way, place, archive.size, 1);
  }

  protected override async run(signal: AbortSignal): Promise<void> {
    const { kind, workspace, name } = this.place;
    const where = `/${kind}/${encodeURIComponent(workspace)}/${encodeURIComponent(name)}`;
    const onSent = (bytes: number): void => {
      const phase = bytes < this.archive.size ? 'sending' : 'verifying';
      this.change({ done: bytes, sent: bytes, phase });
    };
    const url = `${this.way.base}${where}/import?format=${this.format}`;
    const response = await put(this.way, url, this.archive, onSent, signal);
    const version = (await response.json()) as Schemas['Version'];
    this.change({ phase: 'done', number: version.number, files: 1 }, true);
  }

  protected override async discard(): Promise<void> {
    // A broken import leaves nothing behind.
  }
}
