/** Chunks collected into packs: objects of at most 64 MiB that are sent and registered at once. */
import type { Chunk } from './manifest';

/**
 * Bytes after which a pack is sent: with the chunk that fills it (16 MiB at most), no more than 32 MiB. A pack counts
 * once it is registered as a whole, so this is also what a break loses; the platform would take twice as much.
 */
export const PACK = 16 * 1024 * 1024;
/** Chunks after which a pack is sent: the platform answers at most 10,000 hashes at once. */
export const PACK_CHUNKS = 8000;

/** A chunk with the bytes it stands for, which stay on the disk until they are sent. */
export interface Piece extends Chunk {
  data: Blob;
}

/** Chunks to be sent together; `bytes` is their sum. */
export interface Pack {
  pieces: Piece[];
  bytes: number;
}

/** Collects chunks, each content once, and says when a pack is full. */
export class Packer {
  private readonly seen = new Set<string>();
  private pack: Pack = { pieces: [], bytes: 0 };

  constructor(
    private readonly maxBytes = PACK,
    private readonly maxChunks = PACK_CHUNKS
  ) {}

  /** Tells whether this content is in a pack already. */
  has(hash: string): boolean {
    return this.seen.has(hash);
  }

  /** Takes a chunk; returns the pack it filled, if it did. */
  add(piece: Piece): Pack | null {
    if (piece.size > 0 && !this.seen.has(piece.hash)) {
      this.seen.add(piece.hash);
      this.pack.pieces.push(piece);
      this.pack.bytes += piece.size;
    }
    return this.pack.bytes >= this.maxBytes || this.pack.pieces.length >= this.maxChunks ? this.take() : null;
  }

  /** Returns what is left, if anything is. */
  take(): Pack | null {
    const full = this.pack;
    this.pack = { pieces: [], bytes: 0 };
    return full.pieces.length > 0 ? full : null;
  }
}
