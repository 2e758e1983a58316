/**
 * SHA-256: whole chunks by the browser, long files piece by piece by our own hand.
 *
 * WebCrypto hashes only what is in memory at once, and only on secure origins (HTTPS or localhost). A file of several
 * chunks needs a hash that goes on, and a Hub reached by plain HTTP needs any at all.
 */
const K = new Uint32Array(64);
const START = new Uint32Array(8);

// The constants are the first 32 bits of the fractions of cube and square roots of the first primes.
for (let candidate = 2, found = 0; found < 64; candidate += 1) {
  let prime = true;
  for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) {
    prime &&= candidate % divisor !== 0;
  }
  if (prime) {
    K[found] = Math.floor((Math.cbrt(candidate) % 1) * 2 ** 32);
    if (found < 8) {
      START[found] = Math.floor((Math.sqrt(candidate) % 1) * 2 ** 32);
    }
    found += 1;
  }
}

/** A hash that takes its bytes piece by piece. */
export class Sha256 {
  private readonly state = START.slice();
  private readonly words = new Uint32Array(64);
  private readonly block = new Uint8Array(64);
  private filled = 0;
  private length = 0;

  update(data: Uint8Array): this {
    this.length += data.length;
    let at = 0;
    if (this.filled > 0) {
      at = Math.min(64 - this.filled, data.length);
      this.block.set(data.subarray(0, at), this.filled);
      this.filled += at;
      if (this.filled < 64) {
        return this;
      }
      this.mix(this.block, 0);
      this.filled = 0;
    }
    for (; at + 64 <= data.length; at += 64) {
      this.mix(data, at);
    }
    this.block.set(data.subarray(at));
    this.filled = data.length - at;
    return this;
  }

  /** Ends the hash; nothing can be added afterwards. */
  hex(): string {
    const tail = new Uint8Array(this.filled < 56 ? 64 : 128);
    tail.set(this.block.subarray(0, this.filled));
    tail[this.filled] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(this.length / 2 ** 29));
    view.setUint32(tail.length - 4, (this.length * 8) % 2 ** 32);
    for (let at = 0; at < tail.length; at += 64) {
      this.mix(tail, at);
    }
    return Array.from(this.state, word => word.toString(16).padStart(8, '0')).join('');
  }

  private mix(data: Uint8Array, at: number): void {
    /* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of known length; this loop is hot */
    const w = this.words;
    for (let i = 0, from = at; i < 16; i += 1, from += 4) {
      w[i] = (data[from]! << 24) | (data[from + 1]! << 16) | (data[from + 2]! << 8) | data[from + 3]!;
    }
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
    }
    const state = this.state;
    let a = state[0]! | 0;
    let b = state[1]! | 0;
    let c = state[2]! | 0;
    let d = state[3]! | 0;
    let e = state[4]! | 0;
    let f = state[5]! | 0;
    let g = state[6]! | 0;
    let h = state[7]! | 0;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
    state[5]! += f;
    state[6]! += g;
    state[7]! += h;
    /* eslint-enable @typescript-eslint/no-non-null-assertion */
  }
}

/** Returns the SHA-256 of bytes, hexadecimal. */
export async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  // The types promise `subtle` everywhere; a page reached by plain HTTP has none.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) {
    return new Sha256().update(data).hex();
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', data));
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
}
