/** The fields of a new job, its running estimate, and its submission. */
import { useEffect, useMemo, useRef, useState } from 'react';

import type { Schemas } from '../../api/client';
import { useBalance } from '../../api/queries';
import { Copyable } from '../parts';
import { useShell } from '../shell';
import { type Draft, isFolded, toRequest, type Wrong } from './draft';
import { Footer } from './Footer';
import { ImportYaml } from './ImportYaml';
import { JobBody } from './JobBody';
import { dropDraft, keepDraft } from './store';
import { useRefusals } from './refusals';
import { useSubmit } from './submit';

interface Props {
  draftKey: string;
  fresh: Draft;
  /** What was typed before and never submitted. */
  kept: Draft | null;
  from?: string;
  me: Schemas['Me'];
  specs: Schemas['Spec'][];
  free: ReadonlySet<string> | undefined;
}

/** A form that keeps what is typed until it is submitted. */
export function JobFields({ draftKey, fresh, kept, from, me, specs, free }: Props) {
  const { words, confirm } = useShell();
  const [start] = useState(fresh);
  const [draft, setDraft] = useState(kept ?? start);
  const [resumed, setResumed] = useState(kept !== null);
  const [tried, setTried] = useState(false);
  const [more, setMore] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { request, wrong: local } = useMemo(() => toRequest(draft, words), [draft, words]);
  const submit = useSubmit(draftKey);
  const { estimate, problem, refused } = useRefusals(request, submit.refusal);
  const wrong = [...local.filter(each => tried || !each.missing), ...refused];
  const { data: balance } = useBalance(draft.workspace || me.name);
  const currency = balance?.currency ?? '';

  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    keepDraft(draftKey, next);
  };

  // After the fold is open: what is folded away cannot be focused.
  const [focus, setFocus] = useState<{ field: string } | null>(null);
  useEffect(() => {
    if (focus) {
      focusField(form.current, focus.field);
    }
  }, [focus]);
  const point = (all: readonly Wrong[]): void => {
    setMore(more || all.some(each => isFolded(each.field)));
    setFocus({ field: firstOf(form.current, all) });
  };
  const send = async (): Promise<void> => {
    setTried(true);
    if (local.length > 0) {
      point([...local, ...refused]);
      return;
    }
    const refusal = await submit.send(request, draft);
    if (refusal) {
      point(refusal);
    }
  };
  const startOver = async (): Promise<void> => {
    if (
      await confirm(words.__('Start over?'), words.__('What is typed in this form is lost.'), words.__('Start over'))
    ) {
      dropDraft(draftKey);
      setDraft(start);
      setResumed(false);
      setTried(false);
    }
  };

  const top = wrong.filter(each => each.field === '');
  return (
    <form
      ref={form}
      className="pk-form"
      aria-label={words.__('New job')}
      noValidate
      onSubmit={event => event.preventDefault()}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          void send();
        }
      }}
    >
      <div className="pk-form-body">
        <div className="pk-form-head">
          <h1>{words.__('New job')}</h1>
          {from && (
            <span className="pk-hint">
              {words.__('From job')} <Copyable text={from} />
            </span>
          )}
          {resumed && (
            <span className="pk-hint">
              {words.__('This is what you typed before.')}{' '}
              <button type="button" className="pk-link" onClick={() => void startOver()}>
                {words.__('Start over')}
              </button>
            </span>
          )}
        </div>
        <div role="alert">
          {top.length > 0 && (
            <div className="pk-refusals pk-top" data-field="" tabIndex={-1}>
              {top.map(each => (
                <p key={each.message}>{each.message}</p>
              ))}
            </div>
          )}
        </div>
        <JobBody
          {...{ draft, wrong, me, specs, free, currency, estimate, more }}
          need={from ? start.run.spec : undefined}
          onChange={change}
          onMore={setMore}
        />
        <ImportYaml />
      </div>
      <Footer
        {...{ draft, specs, estimate, problem, balance, submit }}
        wrong={wrong.length}
        onWrong={() => point(wrong)}
        onSubmit={() => void send()}
      />
    </form>
  );
}

/** Of the fields that are wrong, the one that comes first in the form. */
function firstOf(form: HTMLFormElement | null, wrong: readonly Wrong[]): string {
  const fields = new Set(wrong.map(each => each.field));
  if (fields.has('')) {
    return '';
  }
  const found = [...(form?.querySelectorAll<HTMLElement>('[data-field]') ?? [])];
  return found.map(each => each.dataset.field ?? '').find(field => fields.has(field)) ?? '';
}

function focusField(form: HTMLFormElement | null, field: string): void {
  const place = form?.querySelector<HTMLElement>(`[data-field="${CSS.escape(field)}"]`);
  const inside = 'input, textarea, select, button';
  const control = place?.matches(`${inside}, [tabindex]`)
    ? place
    : (place?.querySelector<HTMLElement>('input:checked') ?? place?.querySelector<HTMLElement>(inside));
  control?.focus();
  control?.scrollIntoView({ block: 'center' });
}
