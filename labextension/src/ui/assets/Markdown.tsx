/** A text in Markdown, shown; what shows it is loaded when there is one. */
import { useQuery } from '@tanstack/react-query';
import { useLayoutEffect, useRef } from 'react';

import { Skeleton } from '../parts';
import type { AddressOf } from './harmless';

/** Shows `text`; `addressOf` is for what lies beside it. Until the renderer is there, and without it, its source. */
export function Markdown({ text, addressOf }: { text: string; addressOf?: AddressOf }) {
  const place = useRef<HTMLDivElement>(null);
  const { data: renderer, isPending } = useQuery({
    queryKey: ['markdown'],
    queryFn: async () => import('./rendered'),
    staleTime: Infinity,
    gcTime: Infinity
  });
  useLayoutEffect(() => {
    if (!renderer) {
      return;
    }
    try {
      place.current?.replaceChildren(renderer.rendered(text, addressOf));
    } catch {
      place.current?.replaceChildren(text); // nested deeper than the stack
    }
  }, [renderer, text, addressOf]);
  if (!renderer) {
    return isPending ? <Skeleton /> : <pre className="pk-description">{text}</pre>;
  }
  return <div ref={place} className="pk-markdown" />;
}
