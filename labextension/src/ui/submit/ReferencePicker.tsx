/** Picks datasets, models, an algorithm or an environment, each with its version; searches as one types. */
import { type KeyboardEvent, useDeferredValue, useId, useState } from 'react';

import { useShell } from '../shell';
import type { Wrong } from './draft';
import { Group, Refusals } from '../field';
import { type Found, type Referable, useFound, useVersions } from './references';
import { parseReference } from './values';

interface Props {
  kind: Referable;
  /** The request's field. */
  name: string;
  label: string;
  hint?: string;
  placeholder?: string;
  value: readonly string[];
  /** Takes one reference only. */
  single?: boolean;
  onChange: (value: string[], picked?: Found) => void;
  wrong: readonly Wrong[];
}

/** What is chosen, each with its version, and a box to find more. */
export function ReferencePicker({ kind, name, label, hint, placeholder, value, single, onChange, wrong }: Props) {
  return (
    <Group name={name} label={label} hint={hint} wrong={single ? [] : wrong}>
      {value.length > 0 && (
        <ul className="pk-chosen">
          {value.map((reference, at) => (
            <Chosen
              key={`${at} ${parseReference(reference).base}`}
              kind={kind}
              field={single ? name : `${name}.${at}`}
              reference={reference}
              wrong={wrong}
              onChange={changed => onChange(value.map((each, place) => (place === at ? changed : each)))}
              onRemove={() => onChange(value.filter((_, place) => place !== at))}
            />
          ))}
        </ul>
      )}
      {!(single && value.length > 0) && (
        <Finder
          kind={kind}
          label={label}
          placeholder={placeholder}
          chosen={value}
          onPick={(reference, found) => onChange([...value, reference], found)}
        />
      )}
      {single && value.length === 0 && <Refusals refused={wrong.filter(each => each.field === name)} />}
    </Group>
  );
}

function Chosen({
  kind,
  field,
  reference,
  wrong,
  onChange,
  onRemove
}: {
  kind: Referable;
  field: string;
  reference: string;
  wrong: readonly Wrong[];
  onChange: (reference: string) => void;
  onRemove: () => void;
}) {
  const { words } = useShell();
  const id = useId();
  const { base, version } = parseReference(reference);
  const { data = [] } = useVersions(kind, reference);
  const refused = wrong.filter(each => each.field === field);
  const numbers = version && !data.includes(Number(version)) ? [version, ...data] : data;
  return (
    <li>
      <div className="pk-chosen-row" data-field={field}>
        <span className="pk-name" title={base}>
          {base}
        </span>
        <select
          className="pk-input"
          aria-label={words.__('Version of %1', base)}
          aria-invalid={refused.length > 0 || undefined}
          aria-describedby={id}
          value={version}
          onChange={event => onChange(event.target.value ? `${base}@${event.target.value}` : base)}
        >
          <option value="">{data[0] === undefined ? words.__('newest') : words.__('newest (v%1)', data[0])}</option>
          {numbers.map(number => (
            <option key={number} value={number}>
              {words.__('v%1', number)}
            </option>
          ))}
        </select>
        <button type="button" className="pk-button" aria-label={words.__('Leave out %1', base)} onClick={onRemove}>
          ×
        </button>
      </div>
      <Refusals id={id} refused={refused} />
    </li>
  );
}

function Finder({
  kind,
  label,
  placeholder,
  chosen,
  onPick
}: {
  kind: Referable;
  label: string;
  placeholder?: string;
  chosen: readonly string[];
  onPick: (reference: string, found?: Found) => void;
}) {
  const { words } = useShell();
  const list = useId();
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  // A version or a workspace in what is typed is for the reference, not for the search.
  const q = useDeferredValue(parseReference(text.trim()).name);
  const { data, error, isFetching } = useFound(kind, q, open);
  const taken = new Set(chosen.map(each => parseReference(each).base));
  const { workspace, version } = parseReference(text.trim());
  const found = (data ?? []).filter(
    item => !taken.has(item.reference) && (!workspace || item.workspace.startsWith(workspace))
  );

  const pick = (item: Found | undefined): void => {
    if (item) {
      onPick(version ? `${item.reference}@${version}` : item.reference, item);
    } else if (text.trim()) {
      onPick(text.trim());
    }
    setText('');
    setOpen(false);
    setActive(-1);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive(
        found.length === 0 ? -1 : (active + step + (active < 0 && step < 0 ? 1 : 0) + found.length) % found.length
      );
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      pick(found[active] ?? found.find(item => [item.name, item.reference].includes(parseReference(text.trim()).base)));
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
      setActive(-1);
    }
  };
  const optionId = (at: number): string => `${list}-${at}`;
  return (
    <div className="pk-finder">
      <input
        type="text"
        className="pk-input"
        role="combobox"
        aria-label={words.__('Find: %1', label)}
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={list}
        aria-activedescendant={open && active >= 0 ? optionId(active) : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder ?? words.__('Type to search')}
        value={text}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onChange={event => {
          setText(event.target.value);
          setOpen(true);
          setActive(-1);
        }}
        onKeyDown={onKeyDown}
      />
      <div className="pk-popup" hidden={!open}>
        <ul id={list} role="listbox" aria-label={label}>
          {found.map((item, at) => (
            <li
              key={item.reference}
              id={optionId(at)}
              role="option"
              aria-selected={at === active}
              className="pk-option"
              title={item.description || undefined}
              // The box keeps the focus, so that its list does not close before the click has arrived.
              onMouseDown={event => event.preventDefault()}
              onClick={() => pick(item)}
            >
              <span className="pk-name">{item.name}</span>
              <span className="pk-fact">{item.workspace}</span>
              <span className="pk-fact">{item.fact}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && (
          <p className="pk-hint" role="status">
            {error?.message ?? (isFetching ? words.__('Searching') : words.__('Nothing has this in its name.'))}
          </p>
        )}
      </div>
    </div>
  );
}
