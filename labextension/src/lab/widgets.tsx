/** Lumino widgets around the shared views. Views are loaded when first opened, so that the Lab starts as before. */
import { ReactWidget } from '@jupyterlab/apputils';
import { QueryClientProvider } from '@tanstack/react-query';
import { Suspense, type ReactElement } from 'react';

import { Skeleton } from '../ui/parts';
import { ShellProvider } from '../ui/shell';
import type { IPumpkin } from './tokens';

/** Shows a view of Pumpkin in the Lab. */
export class ViewWidget extends ReactWidget {
  constructor(
    private readonly pumpkin: IPumpkin,
    private readonly view: ReactElement
  ) {
    super();
    this.addClass('pk-view');
  }

  protected override render(): ReactElement {
    return (
      <ShellProvider value={this.pumpkin.shell}>
        <QueryClientProvider client={this.pumpkin.cache}>
          <Suspense fallback={<Skeleton lines={8} />}>{this.view}</Suspense>
        </QueryClientProvider>
      </ShellProvider>
    );
  }
}
