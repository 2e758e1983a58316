import type { Kind } from '../shell';

interface Props {
  kind: Kind;
  workspace: string;
  name: string;
  version?: number;
}

/** One dataset, algorithm or model: its versions, their files, and who may use it. */
export function AssetView({ kind, workspace, name, version }: Props) {
  return (
    <h1>
      {kind} {workspace}/{name} {version}
    </h1>
  );
}
