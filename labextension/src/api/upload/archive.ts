/** Archives the platform unpacks itself. */
const FORMATS: Record<string, 'zip' | 'tar'> = {
  '.zip': 'zip',
  '.tar': 'tar',
  '.tgz': 'tar',
  '.tar.gz': 'tar',
  '.tar.bz2': 'tar',
  '.tar.xz': 'tar',
  '.tar.zst': 'tar'
};

/** The format of an archive by its name; null for what is none. */
export function archiveFormat(name: string): 'zip' | 'tar' | null {
  const lower = name.toLowerCase();
  return Object.entries(FORMATS).find(([suffix]) => lower.endsWith(suffix))?.[1] ?? null;
}
