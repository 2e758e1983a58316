/** Which files make a version, and its manifest: docs/artifact-format.md, as `pumpkin push` does it. */

/** Bytes after which files are cut. The same everywhere, so that equal files are equal chunks. */
export const CHUNK = 16 * 1024 * 1024;
const MAX_PATH = 1024;
const MAX_PART = 255;
const MAX_FILES = 2_000_000;
const LEFT_OUT = new Set(['.git', '__pycache__', '.ipynb_checkpoints', '.DS_Store']);
const encoder = new TextEncoder();

/** A file as the browser gives it, and where it shall be in the version. */
export interface Source {
  path: string;
  file: Blob;
}

/** A run of bytes of a file, named by its SHA-256. */
export interface Chunk {
  hash: string;
  size: number;
}

/** One file of a version: a line of its manifest. */
export interface Line {
  path: string;
  size: number;
  mode: 420 | 493;
  sha256: string;
  chunks: Chunk[];
}

/** A line as it counts for the version's identity, its newline included. */
export function encodeLine({ path, size, mode, sha256, chunks }: Line): string {
  const fields = { path, size, mode, sha256, chunks: chunks.map(chunk => ({ hash: chunk.hash, size: chunk.size })) };
  return `${JSON.stringify(fields)}\n`;
}

/** Orders paths by their UTF-8 bytes; JavaScript's own order differs above U+D800. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    let x = a.charCodeAt(at);
    let y = b.charCodeAt(at);
    if (x !== y) {
      // Surrogates stand for code points above all others: lift them behind U+FFFF.
      x = x >= 0xd800 && x <= 0xdfff ? x + 0x10000 : x;
      y = y >= 0xd800 && y <= 0xdfff ? y + 0x10000 : y;
      return x - y;
    }
  }
  return a.length - b.length;
}

/** What is wrong with a path inside a version, as the platform would say it; null when nothing is. */
export type PathFault = 'empty' | 'control' | 'encoding' | 'long' | 'absolute' | 'backslash' | 'dots' | 'part';

export function pathFault(path: string): PathFault | null {
  if (path === '') {
    return 'empty';
  }

  if (/[\u0000-\u001f\u007f]/.test(path)) {
    return 'control';
  }
  if (/\p{Surrogate}/u.test(path)) {
    return 'encoding';
  }
  if (encoder.encode(path).length > MAX_PATH) {
    return 'long';
  }
  if (path.startsWith('/') || /^\p{L}:/u.test(path)) {
    return 'absolute';
  }
  if (path.includes('\\')) {
    return 'backslash';
  }
  const parts = path.split('/');
  if (parts.some(part => part === '' || part === '.' || part === '..')) {
    return 'dots';
  }
  return parts.some(part => encoder.encode(part).length > MAX_PART) ? 'part' : null;
}

/** Files in the manifest's order, what was left out, and what cannot be in a version. */
export interface Plan {
  files: Source[];
  bytes: number;
  leftOut: number;
  faults: { path: string; fault: PathFault | 'twice' | 'many' }[];
}

/** Returns what of the chosen files makes a version; one folder around them all is taken off. */
export function plan(chosen: Source[]): Plan {
  const kept = chosen.filter(({ path }) => !path.split('/').some(part => LEFT_OUT.has(part)));
  const root = commonRoot(kept);
  const files = kept.map(({ path, file }) => ({ path: path.slice(root.length), file }));
  files.sort((a, b) => comparePaths(a.path, b.path));
  const faults: Plan['faults'] = [];
  files.forEach(({ path }, at) => {
    const fault = at > 0 && files[at - 1]?.path === path ? 'twice' : pathFault(path);
    if (fault) {
      faults.push({ path, fault });
    }
  });
  if (files.length > MAX_FILES) {
    faults.push({ path: '', fault: 'many' });
  }
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  return { files, bytes, leftOut: chosen.length - kept.length, faults };
}

function commonRoot(files: Source[]): string {
  const first = files[0]?.path ?? '';
  const root = first.slice(0, first.indexOf('/') + 1);
  return root !== '' && files.every(({ path }) => path.startsWith(root)) ? root : '';
}

/** What tells a choice of files apart from another, cheaply: a resumed upload asks for the same one. */
export function fingerprint(files: Source[]): string {
  let sum = 0;
  for (const { path, file } of files) {
    for (const byte of encoder.encode(`${path}\n${file.size}\n`)) {
      sum = (Math.imul(sum, 31) + byte) | 0;
    }
  }
  return `${files.length}:${files.reduce((total, { file }) => total + file.size, 0)}:${(sum >>> 0).toString(16)}`;
}
