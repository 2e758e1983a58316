/**
 * The lines of a log, kept as the bytes they came in.
 *
 * A million lines as strings would cost gigabytes: here a line is an offset into a chunk of UTF-8, and becomes text only
 * while it is on screen. A chunk holds whole lines, so that chunks can be put before the first one (a log is read from
 * its end) and be dropped from the front (only so many lines can be shown).
 */
const CHUNK_BYTES = 1 << 20;
const CHUNK_LINES = 1 << 16;
/** Firefox cannot scroll through more than 17.8 million pixels, which is this many lines with room for one chunk more. */
export const MAX_LINES = 1_000_000;
/** More of one line is not shown: nobody reads it, and laying it out would freeze the page. */
const MAX_SHOWN = 4000;
const [LF, CR, ESC] = [10, 13, 27];
const decoder = new TextDecoder();

interface Chunk {
  /** Whole lines; the last one of the open chunk may still grow. */
  bytes: Uint8Array;
  used: number;
  starts: number[];
  /** Colours that were switched on before a line, by the line's place in the chunk. */
  looks: Map<number, string>;
}

/** A line as it is drawn: its text with escapes, and the escapes of earlier lines that still hold. */
export interface Line {
  text: string;
  look: string;
  /** Characters left out at its end. */
  cut: number;
}

/** Reads bytes into chunks the way a terminal would: a carriage return starts the line over. */
class Scanner {
  readonly chunks: Chunk[] = [];
  private chunk = this.open();
  private returned = false;
  private escape = -1;
  private look = '';

  read(data: Uint8Array): void {
    if (!this.returned && this.escape < 0 && !data.includes(CR) && !data.includes(ESC)) {
      this.readPlain(data);
      return;
    }
    for (let at = 0; at < data.length; at += 1) {
      const byte = data[at] ?? 0;
      if (byte === LF) {
        this.returned = false;
        this.endLine();
        continue;
      }
      if (byte === CR) {
        this.returned = true;
        continue;
      }
      if (this.returned) {
        this.returned = false;
        this.startOver();
      }
      this.put(byte);
      if (byte === ESC) {
        this.escape = this.chunk.used - 1;
      } else if (this.escape >= 0 && byte >= 64 && byte !== 91) {
        this.endEscape(byte);
      }
    }
  }

  /** Does the same for what has neither carriage returns nor escapes, as most logs: several times faster. */
  private readPlain(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      const end = data.indexOf(LF, at);
      const piece = data.subarray(at, end < 0 ? data.length : end);
      this.reserve(piece.length + 1);
      this.chunk.bytes.set(piece, this.chunk.used);
      this.chunk.used += piece.length;
      at += piece.length + 1;
      if (end >= 0) {
        this.endLine();
      }
    }
  }

  /** Ends the last line, if it has begun. */
  finish(): void {
    if (this.chunk.used > this.lineStart()) {
      this.endLine();
    }
  }

  private open(): Chunk {
    const chunk: Chunk = { bytes: new Uint8Array(4096), used: 0, starts: [0], looks: new Map() };
    this.chunks.push(chunk);
    return chunk;
  }

  private lineStart(): number {
    return this.chunk.starts.at(-1) ?? 0;
  }

  private put(byte: number): void {
    if (this.chunk.used === this.chunk.bytes.length) {
      this.reserve(1);
    }
    this.chunk.bytes[this.chunk.used++] = byte;
  }

  private reserve(more: number): void {
    const { bytes, used } = this.chunk;
    const wanted = used + more;
    if (wanted > bytes.length) {
      const grown = new Uint8Array(Math.max(wanted, bytes.length * 2));
      grown.set(bytes.subarray(0, used));
      this.chunk.bytes = grown;
    }
  }

  private endLine(): void {
    const { chunk } = this;
    this.put(LF);
    this.escape = -1;
    if (chunk.used >= CHUNK_BYTES || chunk.starts.length >= CHUNK_LINES) {
      chunk.bytes = chunk.bytes.slice(0, chunk.used);
      this.chunk = this.open();
    } else {
      chunk.starts.push(chunk.used);
    }
    this.noteLook();
  }

  private startOver(): void {
    this.chunk.used = this.lineStart();
    this.escape = -1;
    this.noteLook();
  }

  private noteLook(): void {
    const at = this.chunk.starts.length - 1;
    if (this.look) {
      this.chunk.looks.set(at, this.look);
    } else {
      this.chunk.looks.delete(at);
    }
  }

  private endEscape(byte: number): void {
    if (byte === 109 /* m */) {
      const code = decoder.decode(this.chunk.bytes.subarray(this.escape, this.chunk.used));
      // What was switched on last decides; more than a few at once are a broken log.
      this.look = /^\x1b\[0*m$/.test(code) ? '' : (this.look + code).slice(-200).replace(/^[^\x1b]*/, '');
    }
    this.escape = -1;
  }
}

/** Whole lines a chunk has; the place after its last line feed is a line only while the chunk is open. */
function finished(chunk: Chunk): number {
  return chunk.starts.at(-1) === chunk.used ? chunk.starts.length - 1 : chunk.starts.length;
}

export class LogStore {
  /** How many lines there are. */
  count = 0;
  /** Lines that were put before those that were there at first: `index - earlier` always means the same line. */
  earlier = 0;
  /** Lines dropped at the front because there are too many. */
  dropped = 0;
  /** Bytes held. */
  bytes = 0;
  private scanner = new Scanner();
  private before: Chunk[] = [];
  private chunks: Chunk[] = [];
  private totals: number[] = [];
  /** The rest of a line that begins before what has been read. */
  private fragment: Uint8Array[] | null;

  /** `start` is the offset in the log at which what is appended begins. */
  constructor(public start = 0) {
    this.fragment = start > 0 ? [] : null;
  }

  /** Adds what comes next. */
  append(data: Uint8Array): void {
    if (this.fragment && this.count === 0) {
      const end = data.indexOf(LF);
      this.fragment.push(end < 0 ? data : data.subarray(0, end + 1));
      data = end < 0 ? data.subarray(data.length) : data.subarray(end + 1);
    }
    if (data.length > 0) {
      this.scanner.read(data);
    }
    this.recount();
    this.trim();
  }

  /** Adds what comes before the start. */
  prepend(data: Uint8Array): void {
    const whole = join([data, ...(this.fragment ?? [])]);
    const had = this.count;
    this.start -= data.length;
    if (had === 0) {
      // Nothing but the rest of one line so far: it may still grow.
      this.fragment = this.start > 0 ? [] : null;
      this.append(whole);
      return;
    }
    let from = 0;
    this.fragment = null;
    if (this.start > 0) {
      const end = whole.indexOf(LF);
      from = end < 0 ? whole.length : end + 1;
      this.fragment = [whole.subarray(0, from)];
    }
    const scanner = new Scanner();
    scanner.read(whole.subarray(from));
    scanner.finish();
    this.before = [...scanner.chunks.filter(chunk => finished(chunk) > 0), ...this.before];
    this.recount();
    this.earlier += this.count - had;
    this.trim();
  }

  /** Whether its first line is the log's first: then lines can be numbered. */
  get whole(): boolean {
    return this.start === 0;
  }

  /** Whether earlier lines would have no place. */
  get full(): boolean {
    return this.dropped > 0 || this.count >= MAX_LINES;
  }

  /** Returns a line to draw. */
  line(index: number): Line {
    const [chunk, at] = this.find(index);
    const from = chunk.starts[at] ?? 0;
    let to = chunk.starts[at + 1] ?? chunk.used;
    if (to > from && chunk.bytes[to - 1] === LF) {
      to -= 1;
    }
    const shown = Math.min(to, from + MAX_SHOWN);
    return {
      text: decoder.decode(chunk.bytes.subarray(from, shown)),
      look: chunk.looks.get(at) ?? '',
      cut: to - shown
    };
  }

  /** The texts of whole chunks, for searching: from the chunk that has line `index` on, with its first line. */
  block(index: number): { text: string; first: number; lines: number } {
    const [chunk, at] = this.find(index);
    return { text: decoder.decode(chunk.bytes.subarray(0, chunk.used)), first: index - at, lines: finished(chunk) };
  }

  private find(index: number): [Chunk, number] {
    let [low, high] = [0, this.totals.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.totals[middle] ?? 0) <= index) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    const chunk = this.chunks[low];
    if (!chunk || index < 0 || index >= this.count) {
      throw new RangeError(`there is no line ${index}`);
    }
    return [chunk, index - (this.totals[low] ?? 0)];
  }

  private recount(): void {
    let lines = 0;
    let bytes = 0;
    this.totals = [];
    this.chunks = [...this.before, ...this.scanner.chunks];
    for (const chunk of this.chunks) {
      this.totals.push(lines);
      lines += finished(chunk);
      bytes += chunk.used;
    }
    this.count = lines;
    this.bytes = bytes;
  }

  private trim(): void {
    while (this.count > MAX_LINES) {
      const first = this.chunks[0];
      if (!first || this.chunks.length === 1) {
        return;
      }
      (this.before.length > 0 ? this.before : this.scanner.chunks).shift();
      this.dropped += finished(first);
      this.earlier -= finished(first);
      this.recount();
    }
  }
}

/** Bytes of several pieces as one. */
function join(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** How many of the bytes are whole characters: a range may end in the middle of one. */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
    if (byte < 0x80) {
      break;
    }
  }
  return bytes.length;
}
