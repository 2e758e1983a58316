// Choosing a spec: the same row of cards everywhere.
import { bytes, cores, h, perHour, show, t } from "./core.js";

export function shape(spec) {
  const accelerators = spec.accelerators ? [`${spec.accelerators}×${spec.accelerator_type || t("accelerator")}`] : [];
  return [...accelerators, cores(spec.cpu_milli), bytes(spec.memory)].join(" · ");
}

/** Show `specs` as radio cards; the first free one is chosen unless something is already. */
export function cards(id, specs, free) {
  const place = document.getElementById(id);
  const names = new Set(free.map((spec) => spec.name));
  const usable = specs.filter((spec) => spec.enabled).sort((a, b) => a.price_micro - b.price_micro || a.cpu_milli - b.cpu_milli);
  const before = place.querySelector(":checked")?.value;
  const chosen = usable.some((spec) => spec.name === before) ? before : (usable.find((spec) => names.has(spec.name)) || usable[0])?.name;
  if (!usable.length) {
    show(place, h("p.empty", {}, t("There is no spec you may use: ask an admin.")));
    return;
  }
  show(place, usable.map((spec) =>
    h("label.card", { title: spec.description || shape(spec) },
      h("input", { type: "radio", name: "spec", value: spec.name, checked: spec.name === chosen, required: true }),
      h("b", {}, spec.name, h("span", {}, perHour(spec.price_micro))),
      h("small", {}, shape(spec)),
      h("small", {}, names.has(spec.name) ? h("span.free", {}, t("free now")) : h("span.taken", {}, t("taken: you would wait"))))));
}
