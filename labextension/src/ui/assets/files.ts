/** What can be shown of a file, by its name; and where its bytes are. */

/** How a file is shown; `none` leaves its size and the download. */
export type Form = 'text' | 'table' | 'image' | 'notebook' | 'parquet';

export const TEXT_BYTES = 64 * 1024;
export const TABLE_BYTES = 512 * 1024;
export const TABLE_ROWS = 200;
export const WHOLE_BYTES = 8 * 1024 * 1024;
export const README_BYTES = 256 * 1024;
/** Of all columns in a file's first group of rows. */
export const PARQUET_BYTES = 16 * 1024 * 1024;

const IMAGES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  svg: 'image/svg+xml'
};

/** The media type of a picture the browser can show; undefined for other files. */
export function imageType(name: string): string | undefined {
  return IMAGES[extension(name)];
}

/** How a file of this name is shown, if it is what its name says. */
export function formOf(name: string): Form {
  if (imageType(name)) {
    return 'image';
  }
  const ending = extension(name);
  if (ending === 'csv' || ending === 'tsv') {
    return 'table';
  }
  if (ending === 'parquet' || ending === 'pq') {
    return 'parquet';
  }
  return ending === 'ipynb' ? 'notebook' : 'text';
}

function extension(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}

/** Whether the first bytes of a file are text: no NUL among them. */
export function isText(head: Uint8Array): boolean {
  return !head.subarray(0, 4096).includes(0);
}

/** The file among a folder's that says what it is about. */
export function readmeOf<T extends { name: string; type: string }>(entries: T[]): T | undefined {
  return entries.find(({ name, type }) => type === 'file' && /^readme\.(md|markdown)$/i.test(name));
}

/** A path inside a version as part of an address. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** Numbers below `newest` that are missing: versions that were deleted, for no number is given twice. */
export function deletedNumbers(numbers: number[], newest: number, complete: boolean): number[] {
  const known = new Set(numbers);
  const lowest = complete ? 1 : Math.min(newest, ...numbers);
  const gone: number[] = [];
  for (let number = newest; number >= lowest; number -= 1) {
    if (!known.has(number)) {
      gone.push(number);
    }
  }
  return gone;
}

/** A reference in full, `workspace/name@version`, in its parts; null for what is none. */
export function parseReference(text: string): { workspace: string; name: string; version: number } | null {
  const [, workspace, name, version] = /^([^/]+)\/([^/@]+)@(\d+)$/.exec(text) ?? [];
  return workspace && name && version ? { workspace, name, version: Number(version) } : null;
}
