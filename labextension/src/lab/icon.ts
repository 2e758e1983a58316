import { LabIcon } from '@jupyterlab/ui-components';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3" fill="#616161" d="M11 8V5.500c0-1.500.8-2.700 2.300-3.100l.7 1.500c-.7.2-1 .8-1 1.600V8z"/>
  <g class="jp-icon3" style="fill:none" stroke="#616161" stroke-width="1.700">
    <ellipse cx="12" cy="14" rx="3.200" ry="6.200"/>
    <path d="M10.500 8.300C5.500 6.700 2.500 9.800 2.500 14s3 7.300 8 5.700M13.500 8.300c5-1.600 8 1.500 8 5.700s-3 7.300-8 5.700"/>
  </g>
</svg>`;

export const pumpkinIcon = new LabIcon({ name: 'pumpkin:logo', svgstr: SVG });
