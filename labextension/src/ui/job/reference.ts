/** References to versions: `workspace/name@3`. */
export interface Reference {
  workspace: string;
  name: string;
  version?: number;
}

/** Returns the parts of a reference, null when it is none. */
export function reference(text: string): Reference | null {
  const [, workspace, name, version] = /^(.+)\/([^/@]+)(?:@(\d+))?$/.exec(text) ?? [];
  if (!workspace || !name) {
    return null;
  }
  return { workspace, name, version: version ? Number(version) : undefined };
}
