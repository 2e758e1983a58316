/** Which unfinished upload belongs to which choice of files, kept through a reload of the page. */
import type { Place } from './upload';

interface Remembered {
  id: string;
  fingerprint: string;
}

function key({ kind, workspace, name }: Place): string {
  return `pumpkin:upload:${kind}:${workspace}/${name}`;
}

export function remember(place: Place, upload: Remembered): void {
  localStorage.setItem(key(place), JSON.stringify(upload));
}

export function forget(place: Place): void {
  localStorage.removeItem(key(place));
}

function read(place: Place): Remembered | null {
  return JSON.parse(localStorage.getItem(key(place)) ?? 'null') as Remembered | null;
}

/** The id of the unfinished upload to a place; null when there is none. */
export function rememberedId(place: Place): string | null {
  return read(place)?.id ?? null;
}

/** The id of the upload these files began; null when the files are others. */
export function recall(place: Place, fingerprint: string): string | null {
  const known = read(place);
  return known?.fingerprint === fingerprint ? known.id : null;
}
