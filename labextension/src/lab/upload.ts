/** From the file browser's menu to a version; how far it is stands in a notification, also after a reload. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';

import type { Kind } from '../ui/shell';
import { pumpkinIcon } from './icon';
import { ServerUploads } from './serverUploads';
import { IPumpkin } from './tokens';

export const upload: JupyterFrontEndPlugin<void> = {
  id: '@pumpkin/lab:upload',
  description: 'Uploads files and folders of the file browser to Pumpkin.',
  autoStart: true,
  requires: [IPumpkin, IFileBrowserFactory],
  activate: (app: JupyterFrontEnd, pumpkin: IPumpkin, browsers: IFileBrowserFactory) => {
    const { shell } = pumpkin;
    const { words } = shell;
    const uploads = new ServerUploads(shell.base.replace(/api$/, 'uploads'), shell.transport);
    const follow = async (): Promise<void> => {
      const { UploadNotices } = await import('./uploadNotices');
      UploadNotices.of(uploads, pumpkin).look();
    };
    const labels: Partial<Record<Kind, string>> = {
      dataset: words.__('Upload to Pumpkin as a dataset…'),
      algorithm: words.__('Upload to Pumpkin as an algorithm…')
    };
    const chosen = (): string | undefined => {
      const items = [...(browsers.tracker.currentWidget?.selectedItems() ?? [])];
      return items.length === 1 ? items[0]?.path : undefined;
    };
    for (const [kind, label] of Object.entries(labels)) {
      const command = `pumpkin:upload-${kind}`;
      app.commands.addCommand(command, {
        label,
        icon: pumpkinIcon,
        describedBy: { args: { type: 'object', properties: { path: { type: 'string' } } } },
        isVisible: args => args.path !== undefined || chosen() !== undefined,
        execute: async args => {
          const path = (args.path as string | undefined) ?? chosen();
          if (path === undefined) {
            return;
          }
          const { askUpload } = await import('./uploadDialog');
          // Of a drive's name, such as "RTC:", the server knows nothing.
          const local = app.serviceManager.contents.localPath(path);
          if (await askUpload(pumpkin, uploads, local, kind as Kind)) {
            await follow();
          }
        }
      });
      app.contextMenu.addItem({ command, selector: '.jp-DirListing-item', rank: 20 });
    }
    // What is on its way from before this page was loaded; asked once the Lab is there.
    void app.restored.then(async () => {
      const known = await uploads.list().catch(() => []);
      if (known.length > 0) {
        await follow();
      }
    });
  }
};
