/** What a version says of itself. */
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';

import { Loaded } from '../parts';
import { useShell } from '../shell';
import { isText, README_BYTES, readmeOf } from './files';
import { Markdown } from './Markdown';
import { fileAddress, type Place, useAddress, useTree } from './queries';
import { readRange } from './range';

/** The README in the root of a version; nothing when it has none. */
export function Readme({ place, number }: { place: Place; number: number }) {
  const { words, transport } = useShell();
  const asset = useAddress(place);
  const root = useTree(place, number, '');
  const entry = readmeOf(root.data?.pages.flatMap(page => page.items) ?? []);
  const addressOf = useCallback((path: string) => fileAddress(asset, number, path), [asset, number]);
  const address = addressOf(entry?.path ?? '');
  const query = useQuery({
    queryKey: ['readme', address],
    queryFn: async ({ signal }) => {
      const data = await readRange(transport, address, 0, README_BYTES, signal);
      return isText(new Uint8Array(data)) ? new TextDecoder().decode(data, { stream: true }) : '';
    },
    enabled: entry !== undefined && entry.bytes > 0,
    staleTime: Infinity
  });
  if (!entry || entry.bytes === 0 || query.data === '') {
    return null;
  }
  return (
    <section className="pk-readme" aria-label={entry.name}>
      <h2 className="pk-readme-title">{entry.name}</h2>
      <Loaded query={query} lines={5}>
        {text => <Markdown text={text} addressOf={addressOf} />}
      </Loaded>
      {entry.bytes > README_BYTES && <p className="pk-quiet">{words.__('It goes on: open the file for the rest.')}</p>}
    </section>
  );
}
