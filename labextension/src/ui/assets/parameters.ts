/** What a job was given, as the lineage keeps it: by role, its command, variables and replicas. */
export interface Parameters {
  role: string;
  /** The command as one types it; null when `rest` says it all. */
  command: string | null;
  /** Variables, one in each line. */
  env: string;
  replicas: number;
  rest: string;
}

/** Returns each role's parameters; what has another form than we know is shown as JSON. */
export function parametersOf(parameters: Record<string, unknown>): Parameters[] {
  return Object.entries(parameters).map(([role, value]) => {
    const known = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    const env = typeof known.env === 'object' && known.env !== null ? Object.entries(known.env) : [];
    return {
      role,
      command: Array.isArray(known.command) ? typed(known.command.map(String)) : null,
      env: env.map(([name, set]) => `${name}=${String(set)}`).join('\n'),
      replicas: typeof known.replicas === 'number' ? known.replicas : 1,
      rest: typeof value === 'string' ? value : JSON.stringify(value)
    };
  });
}

/** A command line; that of a shell is what the shell was told. */
function typed(command: string[]): string {
  if (command.length === 3 && /(^|\/)(ba|da)?sh$/.test(command[0] ?? '') && command[1] === '-c') {
    return command[2] ?? '';
  }
  return command.map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
