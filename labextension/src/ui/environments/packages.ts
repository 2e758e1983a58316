/** What two versions of an environment differ in, and what is wrong with which line of its requirements. */
import type { FieldError } from '../../api/client';

export type Packages = Record<string, string>;

export interface Difference {
  name: string;
  change: 'added' | 'removed' | 'changed';
  before: string;
  after: string;
}

/** Returns what came, went and changed from `before` to `after`, by name. */
export function differences(before: Packages, after: Packages): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name): Difference[] => {
    const [old = '', now = ''] = [before[name], after[name]];
    if (!(name in before)) {
      return [{ name, change: 'added', before: '', after: now }];
    }
    if (!(name in after)) {
      return [{ name, change: 'removed', before: old, after: '' }];
    }
    return old === now ? [] : [{ name, change: 'changed', before: old, after: now }];
  });
}

/** Returns the packages whose name contains all words of `search`, by name; `-`, `_` and `.` are one. */
export function matching(packages: Packages, search: string): [string, string][] {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_.]+/g, '-');
  const wanted = search.split(/\s+/).filter(Boolean).map(plain);
  return Object.entries(packages)
    .filter(([name]) => wanted.every(word => plain(name).includes(word)))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What is refused: of which line, counted from 1, or of the whole (null). */
export interface Refused {
  line: number | null;
  message: string;
}

/** Returns what is refused of a text; a field is `requirements.<line>`, or `pyproject.<place in a list>`. */
export function refusedLines(errors: FieldError[], field: 'requirements' | 'pyproject'): Refused[] {
  return errors
    .filter(error => error.field.split('.')[0] === field)
    .map(({ field: path, message }) => {
      const line = Number(path.split('.')[1]);
      return { line: field === 'requirements' && line > 0 ? line : null, message };
    });
}
