// A table that can be filtered, sorted and walked with the keyboard.
import { h, show, t } from "./core.js";

/**
 * Keep a table in `place`. Columns: {title, cell(row), sort(row), num, wide, narrow: false}. Options: `key(row)` names a row, `open(row)`
 * is where Enter or a click leads, `filter(row)` the text searched (none: no filter box), `empty` what stands for no rows.
 */
export function table(place, columns, { key, open, filter, empty }) {
  const root = typeof place === "string" ? document.getElementById(place) : place;
  let rows = [];
  let order = null;
  let words = "";
  let more = null;
  const body = h("tbody");
  const heads = columns.map((column, index) =>
    h(`th${column.num ? ".num" : ""}${column.narrow === false ? ".hide-narrow" : ""}`, { scope: "col" },
      column.sort ? h("button", { type: "button", onclick: () => sort(index) }, column.title) : column.title));
  const box = filter && h("input.filter", { type: "search", placeholder: t("Filter"), "aria-label": t("Filter"), oninput: (event) => { words = event.target.value.toLowerCase(); draw(); } });
  const grid = h("div.table", {}, h("table", {}, h("thead", {}, h("tr", {}, heads)), body));
  const foot = h("div.more");

  function sort(index) {
    const descending = order?.index === index && !order.descending;
    order = { index, descending };
    heads.forEach((head, i) => (i === index ? head.setAttribute("aria-sort", descending ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    draw();
  }

  function draw() {
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    let shown = filter && words ? rows.filter((row) => filter(row).toLowerCase().includes(words)) : rows;
    if (order) {
      const value = columns[order.index].sort;
      const sign = order.descending ? -1 : 1;
      shown = [...shown].sort((a, b) => (value(a) > value(b) ? sign : value(a) < value(b) ? -sign : 0));
    }
    show(body, shown.map(line));
    if (!rows.length) show(root, h("p.empty", {}, empty || t("Nothing here yet.")));
    else if (!root.contains(grid)) show(root, rows.length > 8 && box, grid, foot);
    show(foot, more && h("button", { type: "button", onclick: more }, t("More")));
    if (focused) [...body.children].find((tr) => tr.dataset.key === focused)?.focus();
  }

  function line(row) {
    const cells = columns.map((column) => h(`td${column.num ? ".num" : ""}${column.wide ? ".wide" : ""}${column.narrow === false ? ".hide-narrow" : ""}`, {}, column.cell(row)));
    return h("tr", { "data-key": key(row), tabindex: "0", "data-open": Boolean(open) && "yes", onkeydown: (event) => walk(event, row), onclick: (event) => go(event, row) }, cells);
  }

  function walk(event, row) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (step && event.target === event.currentTarget) {
      event.preventDefault();
      event.currentTarget[step]?.focus();
    } else if (event.key === "Enter" && event.target === event.currentTarget && open) location.href = open(row);
  }

  function go(event, row) {
    if (open && !event.target.closest("a, button, input, select")) location.href = open(row);
  }

  return (next, { onMore = null } = {}) => {
    rows = next;
    more = onMore;
    draw();
  };
}
