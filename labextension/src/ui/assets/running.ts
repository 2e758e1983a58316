/** Uploads on their way, whatever view is open: a closed tab does not stop them. */
import type { Upload } from '../../api/upload/upload';
import type { Place } from './queries';

export interface Running {
  place: Place;
  upload: Upload;
}

const uploads = new Map<string, Running>();
let all: Running[] = [];
const listeners = new Set<() => void>();

function key({ kind, workspace, name }: Place): string {
  return `${kind}:${workspace}/${name}`;
}

/** The upload to an asset; one at a time. */
export function runningUpload(place: Place): Upload | null {
  return uploads.get(key(place))?.upload ?? null;
}

/** All of them; the same array until one begins or is dismissed. */
export function runningUploads(): Running[] {
  return all;
}

/** Calls `listener` when an upload begins or is dismissed. */
export function watchUploads(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Keeps an upload until it is dismissed with null. */
export function keepUpload(place: Place, upload: Upload | null): void {
  if (upload) {
    uploads.set(key(place), { place, upload });
  } else {
    uploads.delete(key(place));
  }
  all = [...uploads.values()];
  listeners.forEach(listener => listener());
}
