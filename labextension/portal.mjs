/** Builds the portal from lib/portal, and puts JupyterLab's own two themes beside it, so that both shells look alike. */
import { copyFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rspack } from '@rspack/core';

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, '../services/pumpkin_services/pages/static/app');
const themes = join(process.env.VIRTUAL_ENV ?? join(here, '../.venv'), 'share/jupyter/lab/themes/@jupyterlab');

rmSync(output, { recursive: true, force: true });
const stats = await new Promise((resolve, reject) =>
  rspack(
    {
      mode: 'production',
      context: here,
      entry: { main: ['./style/index.css', './style/portal.css', './lib/portal/main.js'] },
      output: {
        path: output,
        publicPath: 'auto',
        filename: '[name].js',
        chunkFilename: '[name].[contenthash].js',
        cssFilename: '[name].css',
        cssChunkFilename: '[name].[contenthash].css'
      },
      // Links, not inline styles: the pages' policy allows no others.
      module: { rules: [{ test: /\.css$/, type: 'css' }] }
    },
    (error, result) => (error ? reject(error) : resolve(result))
  )
);
if (stats.hasErrors()) {
  console.error(stats.toString('errors-only'));
  process.exit(1);
}
for (const theme of ['light', 'dark']) {
  copyFileSync(join(themes, `theme-${theme}-extension/index.css`), join(output, `${theme}.css`));
}
copyFileSync(
  join(here, '../extensions/pumpkin_server/locale/zh_CN/LC_MESSAGES/pumpkin.json'),
  join(output, 'zh-CN.json')
);
console.log(stats.toString({ preset: 'none', assets: true, colors: false }));
