/**
 * Files into a version: hash, ask what is missing, send packs, manifest, commit.
 *
 * It is `pumpkin push` in a browser. Files are read one after another in the manifest's order; packs are sent a few at
 * once. Chunks stay on the disk until their pack goes out, so memory stays small whatever is sent. What an earlier,
 * broken upload has sent the platform names as present: going on is beginning again with the same upload.
 */
import { answer, Problem, type Api } from '../client';
import { CHUNK, encodeLine, fingerprint, type Chunk, type Line, type Source } from './manifest';
import { Packer, type Pack, type Piece } from './packs';
import { Sha256, sha256 } from './sha256';
import { isOurs, isPassing, put, throughBase, type Way } from './send';
import { forget, recall, remember } from './memory';
import { FileTrouble, Upload, type Place } from './upload';

const AT_ONCE = 2;
const TRIES = 5;
const HASH_STEP = 2 * 1024 * 1024;
const LINES_PER_PART = 2000;

/** Whether the platform may name the object store itself as the place of a pack: until that has failed once. */
let straight = true;

export class FolderUpload extends Upload {
  readonly pausable = true;
  private id = '';
  /** Bytes out of packs that are not registered yet, by pack. */
  private readonly flying = new Map<Pack, number>();
  /** What was hashed before a pause: not read again. */
  private readonly hashed = new Map<string, Line>();
  private settled = 0;
  private travelled = 0;

  constructor(
    api: Api,
    way: Way,
    place: Place,
    private readonly sources: Source[]
  ) {
    const total = sources.reduce((sum, { file }) => sum + file.size, 0);
    super(api, way, place, total, sources.length);
  }

  /** Holds; what is registered stays, packs on their way are sent again. */
  pause(): void {
    this.controller.abort();
    this.flying.clear();
    this.change({ phase: 'paused', perSecond: 0, secondsLeft: null }, true);
  }

  protected override async run(signal: AbortSignal): Promise<void> {
    this.settled = this.travelled = 0;
    this.flying.clear();
    this.change({ done: 0, files: 0 });
    await this.begin(signal);
    const { manifest, identity } = await this.sendChunks(signal);
    this.change({ phase: 'verifying' }, true);
    const same = await this.newestIfSame(identity, signal);
    if (same !== null) {
      await this.discard();
      this.change({ phase: 'done', number: same, unchanged: true }, true);
      return;
    }
    const zipped = await new Response(manifest.stream().pipeThrough(new CompressionStream('gzip'))).blob();
    await this.insist(signal, () => put(this.way, this.url('/manifest'), zipped, () => undefined, signal));
    await this.commit(signal);
  }

  protected override async discard(): Promise<void> {
    const { id } = this;
    this.id = '';
    forget(this.place);
    if (id !== '') {
      const path = { ...this.path, upload: id };
      await this.api
        .DELETE(`/${this.place.kind}/{workspace}/{name}/uploads/{upload}`, { params: { path } })
        .catch(() => undefined); // an upload nobody touches for a day is given up anyway
    }
  }

  private get path(): { workspace: string; name: string } {
    return { workspace: this.place.workspace, name: this.place.name };
  }

  private url(rest: string): string {
    const { kind, workspace, name } = this.place;
    return `${this.way.base}/${kind}/${encodeURIComponent(workspace)}/${encodeURIComponent(name)}/uploads/${this.id}${rest}`;
  }

  /** Takes up this choice's unfinished upload, or begins one. */
  private async begin(signal: AbortSignal): Promise<void> {
    const print = fingerprint(this.sources);
    const known = this.id || recall(this.place, print);
    if (known) {
      const path = { ...this.path, upload: known };
      const found = await this.insist(signal, () =>
        answer(
          this.api.GET(`/${this.place.kind}/{workspace}/{name}/uploads/{upload}`, { params: { path }, signal })
        ).catch((error: unknown) => {
          if (error instanceof Problem && error.status === 404) {
            return null;
          }
          throw error;
        })
      );
      if (found?.state === 'uploading') {
        this.id = known;
        return;
      }
    }
    const made = await this.insist(signal, () =>
      answer(this.api.POST(`/${this.place.kind}/{workspace}/{name}/uploads`, { params: { path: this.path }, signal }))
    );
    this.id = made.id;
    remember(this.place, { id: made.id, fingerprint: print });
  }

  private async sendChunks(signal: AbortSignal): Promise<{ manifest: Blob; identity: string }> {
    const packer = new Packer();
    const identity = new Sha256();
    const parts: Blob[] = [];
    const flights = new Set<Promise<void>>();
    const encoder = new TextEncoder();
    let lines: string[] = [];
    let files = 0;
    const launch = async (pack: Pack | null): Promise<void> => {
      if (pack) {
        const flight: Promise<void> = this.send(pack, signal).finally(() => flights.delete(flight));
        flight.catch(() => undefined); // it is awaited below; until then nobody listens
        flights.add(flight);
      }
      while (flights.size >= AT_ONCE) {
        await Promise.race(flights);
      }
    };
    for (const source of this.sources) {
      const line = await this.readFile(source, signal, async piece => {
        if (packer.has(piece.hash)) {
          this.settle(piece.size, 0);
        } else {
          await launch(packer.add(piece));
        }
      });
      const text = encodeLine(line);
      identity.update(encoder.encode(text));
      lines.push(text);
      if (lines.length >= LINES_PER_PART) {
        parts.push(new Blob(lines));
        lines = [];
      }
      files += 1;
      this.change({ files });
    }
    await launch(packer.take());
    await Promise.all(flights);
    return { manifest: new Blob([...parts, ...lines]), identity: identity.hex() };
  }

  /** Reads and hashes one file, handing on its chunks; returns its line. */
  private async readFile(
    { path, file }: Source,
    signal: AbortSignal,
    onPiece: (piece: Piece) => Promise<void>
  ): Promise<Line> {
    const known = this.hashed.get(path);
    if (known) {
      let from = 0;
      for (const { hash, size } of known.chunks) {
        signal.throwIfAborted();
        await onPiece({ hash, size, data: file.slice(from, from + size) });
        from += size;
      }
      return known;
    }
    const chunks: Chunk[] = [];
    const whole = file.size > CHUNK ? new Sha256() : null;
    for (let at = 0; at < file.size; at += CHUNK) {
      signal.throwIfAborted();
      const data = file.slice(at, at + CHUNK);
      const content = await data.arrayBuffer().catch(() => {
        throw new FileTrouble(path);
      });
      if (content.byteLength !== data.size) {
        throw new FileTrouble(path);
      }
      const hash = await sha256(new Uint8Array(content));
      for (let from = 0; whole && from < content.byteLength; from += HASH_STEP) {
        whole.update(new Uint8Array(content, from, Math.min(HASH_STEP, content.byteLength - from)));
        await breathe();
      }
      chunks.push({ hash, size: data.size });
      await onPiece({ hash, size: data.size, data });
    }
    const digest = whole?.hex() ?? chunks[0]?.hash ?? new Sha256().hex();
    const line: Line = { path, size: file.size, mode: 420, sha256: digest, chunks };
    this.hashed.set(path, line);
    return line;
  }

  /** Asks which chunks of a pack are missing, sends those, registers them. */
  private async send(pack: Pack, signal: AbortSignal): Promise<void> {
    const sent = await this.insist(signal, () => this.sendOnce(pack, signal));
    this.flying.delete(pack);
    this.settle(pack.bytes, sent);
  }

  private async sendOnce(pack: Pack, signal: AbortSignal): Promise<number> {
    const path = { ...this.path, upload: this.id };
    const uploads = `/${this.place.kind}/{workspace}/{name}/uploads/{upload}` as const;
    const { missing } = await answer(
      this.api.POST(`${uploads}/missing`, {
        params: { path },
        body: { hashes: pack.pieces.map(piece => piece.hash) },
        signal
      })
    );
    const asked = new Set(missing);
    const wanted = pack.pieces.filter(piece => asked.has(piece.hash));
    const body = new Blob(wanted.map(piece => piece.data));
    if (wanted.length === 0) {
      return 0;
    }
    const { objects } = await answer(
      this.api.POST(`${uploads}/objects`, {
        params: { path },
        body: {
          sizes: [body.size],
          sha256: straight ? [await hashOf(body)] : null,
          origin: location.origin,
          once: false
        },
        signal
      })
    );
    const target = objects[0];
    if (!target) {
      throw new Problem('The platform named no place for a pack.', 500, 'no_target', '');
    }
    const held = pack.bytes - body.size;
    const url = throughBase(this.way.base, target.url);
    straight &&= !isOurs(this.way, url);
    try {
      await put(this.way, url, body, out => this.fly(pack, held + out), signal, target.headers);
    } catch (error) {
      if (isOurs(this.way, url) || signal.aborted) {
        throw error;
      }
      // The store lets this page not in, or is not to be reached from here: a browser does not say which.
      straight = false;
      return this.sendOnce(pack, signal);
    }
    await answer(
      this.api.PUT(`${uploads}/objects/{object}`, {
        params: { path: { ...path, object: target.id } },
        body: { chunks: wanted.map(({ hash, size }) => ({ hash, size })) },
        signal
      })
    );
    return body.size;
  }

  private settle(bytes: number, sent: number): void {
    this.settled += bytes;
    this.travelled += sent;
    this.count();
  }

  private fly(pack: Pack, bytes: number): void {
    this.flying.set(pack, bytes);
    this.count();
  }

  private count(): void {
    const flying = [...this.flying.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.change({ done: Math.min(this.settled + flying, this.snapshot().total), sent: this.travelled });
  }

  /** The number of the newest version if this one would be the same, byte for byte. */
  private async newestIfSame(identity: string, signal: AbortSignal): Promise<number | null> {
    const params = { path: this.path, query: { limit: 1 } };
    const { items } = await answer(this.api.GET(`/${this.place.kind}/{workspace}/{name}/versions`, { params, signal }));
    const [newest] = items;
    return newest?.manifest_hash === identity ? newest.number : null;
  }

  private async commit(signal: AbortSignal): Promise<void> {
    const path = { ...this.path, upload: this.id };
    const upload = `/${this.place.kind}/{workspace}/{name}/uploads/{upload}` as const;
    let state = await this.insist(signal, () =>
      answer(this.api.POST(`${upload}/commit`, { params: { path }, signal }))
    );
    while (state.number === null) {
      if (state.state === 'failed' || state.state === 'deleted') {
        throw new Problem(state.error ?? 'The upload was given up.', 409, 'upload_failed', '');
      }
      state = await this.insist(signal, () =>
        answer(this.api.GET(upload, { params: { path, query: { wait: 5 } }, signal }))
      );
    }
    forget(this.place);
    this.change({ phase: 'done', number: state.number }, true);
  }

  /** Tries again what may pass, with growing pauses. */
  private async insist<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      signal.throwIfAborted();
      try {
        return await act();
      } catch (error) {
        if (!isPassing(error) || signal.aborted || tried >= TRIES) {
          throw error;
        }
        await new Promise(resolve => setTimeout(resolve, 500 * 2 ** tried));
      }
    }
  }
}

async function hashOf(body: Blob): Promise<string> {
  return sha256(new Uint8Array(await body.arrayBuffer()));
}

/** Lets the page draw and answer between two steps of work. */
function breathe(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
