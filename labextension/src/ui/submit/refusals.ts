/** What the platform refuses about a request, while it is typed and when it was submitted. */
import { Problem, type Schemas } from '../../api/client';
import { fieldOf, forEstimate, type Wrong } from './draft';
import { useEstimate } from './estimate';

/** A refused submit: of which request, and why. */
export interface Refusal {
  body: string;
  problem: Error;
}

/** A problem as what is wrong with which field; one about no field is about the form. */
export function wrongOf(problem: Error): Wrong[] {
  if (!(problem instanceof Problem) || problem.errors.length === 0) {
    return [{ field: '', message: problem.message }];
  }
  return problem.errors.map(({ field, message }) => ({ field: fieldOf(field), message: sentence(message) }));
}

// A schema's rules come as parts of sentences.
function sentence(text: string): string {
  const rule = text.replace(/^Value error, /, '');
  const whole = rule.charAt(0).toUpperCase() + rule.slice(1);
  return /[.!?)'"]$/.test(whole) ? whole : `${whole}.`;
}

/** Whether trying again could help: the platform did not answer, or could not. */
export function isPassing(problem: Error): boolean {
  return problem instanceof Problem && (problem.status === 0 || problem.status === 429 || problem.status >= 500);
}

/** The estimate of a request, and all that is refused about it. */
export function useRefusals(request: Schemas['JobRequest'], submitted: Refusal | null) {
  const asked = useEstimate(forEstimate(request));
  const estimated = asked?.problem;
  // A submit's refusal holds until what was refused is changed.
  const refusal = submitted?.body === JSON.stringify(request) ? submitted.problem : undefined;
  const refused: Wrong[] = [];
  for (const problem of [refusal, estimated]) {
    if (problem && !isPassing(problem)) {
      refused.push(...wrongOf(problem));
    }
  }
  const unique = refused.filter(
    (each, at) => refused.findIndex(other => other.field === each.field && other.message === each.message) === at
  );
  return {
    estimate: asked?.estimate,
    problem: estimated && isPassing(estimated) ? estimated : undefined,
    refused: unique
  };
}
