/** The side panel. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { lazy, type ReactElement } from 'react';

import { pumpkinIcon } from './icon';
import { ownServer } from './server';
import { IPumpkin, NAMES } from './tokens';
import { ViewWidget } from './widgets';

const Panel = lazy(async () => ({ default: (await import('../ui/panel/Panel')).Panel }));

/** Comes to life, and is loaded, when it is first seen. */
class PanelWidget extends ViewWidget {
  private seen = false;

  protected override onAfterShow(): void {
    this.update();
  }

  protected override render(): ReactElement {
    this.seen ||= this.isVisible;
    return this.seen ? super.render() : <></>;
  }
}

export const panel: JupyterFrontEndPlugin<void> = {
  id: '@pumpkin/lab:panel',
  description: 'Jobs, datasets, algorithms, models and environments beside the notebook.',
  autoStart: true,
  requires: [IPumpkin],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    pumpkin: IPumpkin,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    const { words } = pumpkin.shell;
    // Asked when it is drawn: keys come from the settings, which may change them.
    const shortcut = (): string => {
      const binding = app.commands.keyBindings.find(({ command }) => command === NAMES.newJob);
      return binding ? shown(binding.keys) : '';
    };
    const widget = new PanelWidget(pumpkin, <Panel server={ownServer()} shortcut={shortcut} />);
    widget.id = 'pumpkin-panel';
    widget.title.icon = pumpkinIcon;
    widget.title.caption = 'Pumpkin';
    restorer?.add(widget, widget.id);
    app.shell.add(widget, 'left', { rank: 250 });
    app.commands.addCommand(NAMES.showPanel, {
      label: words.__('Show the Pumpkin panel'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(widget.id)
    });
    palette?.addItem({ command: NAMES.showPanel, category: 'Pumpkin' });
  }
};

/** Keys as people know them: "Ctrl+Shift+J", on a Mac "⇧⌘J". */
function shown(keys: readonly string[]): string {
  const signs: Record<string, string> = { Ctrl: '⌃', Alt: '⌥', Shift: '⇧', Cmd: '⌘' };
  const mac = navigator.userAgent.includes('Mac');
  return keys
    .map(stroke => stroke.split(' '))
    .map(parts => (mac ? parts.map(part => signs[part] ?? part).join('') : parts.join('+')))
    .join(' ');
}
