/** Rows that are code when they are dropped where one types. */
import type { DragEvent } from 'react';

/** Returns what makes an element one to drag; nothing when there is no code. */
export function dragged(code: string | null): {
  draggable?: boolean;
  onDragStart?: (event: DragEvent<HTMLElement>) => void;
} {
  if (code === null) {
    return {};
  }
  return {
    draggable: true,
    onDragStart: event => {
      event.dataTransfer.setData('text/plain', code);
      event.dataTransfer.effectAllowed = 'copy';
    }
  };
}
