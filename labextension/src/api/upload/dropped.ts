/** What was dropped or chosen, as files with their paths. */
import type { Source } from './manifest';

/** Files of an `<input type="file">`; a folder input names each with its folder. */
export function chosenFiles(list: FileList): Source[] {
  return [...list].map(file => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Files and whole folders that were dropped. The transfer is empty once the event is over: call this inside it. */
export async function droppedFiles(transfer: DataTransfer): Promise<Source[]> {
  const items = [...transfer.items].map(item => item.webkitGetAsEntry() ?? item.getAsFile());
  const found: Source[] = [];
  for (const item of items) {
    if (item instanceof File) {
      found.push({ path: item.name, file: item });
    } else if (item) {
      await walk(item, found);
    }
  }
  return found;
}

async function walk(entry: FileSystemEntry, found: Source[]): Promise<void> {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // One call answers some hundred entries at most; an empty answer is the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) {
      return;
    }
    for (const child of part) {
      await walk(child, found);
    }
  }
}
