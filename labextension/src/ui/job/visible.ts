/** Whether a view is on screen: what nobody sees is not followed. */
import { type RefObject, useEffect, useState } from 'react';

export function useOnScreen(place: RefObject<HTMLElement | null>): boolean {
  const [onScreen, setOnScreen] = useState(true);
  useEffect(() => {
    let inView = true;
    const tell = (): void => setOnScreen(inView && document.visibilityState === 'visible');
    const observer = new IntersectionObserver(entries => {
      // A tab behind another one has no size; what is only scrolled away still has.
      const box = entries.at(-1)?.boundingClientRect;
      inView = box !== undefined && box.width > 0;
      tell();
    });
    if (place.current) {
      observer.observe(place.current);
    }
    document.addEventListener('visibilitychange', tell);
    return () => {
      observer.disconnect();
      document.removeEventListener('visibilitychange', tell);
    };
  }, [place]);
  return onScreen;
}
