// One metric as a curve, drawn as SVG.
import { h } from "./core.js";

const NS = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, PAD] = [240, 120, 8];

function svg(tag, attributes) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export const short = (value) => (value === null ? "–" : Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(2) : String(+value.toPrecision(4)));

/** Thin `points` to what the width can show, keeping each stretch's lowest and highest. */
function thinned(points) {
  if (points.length <= 2 * WIDTH) return points;
  const size = Math.ceil(points.length / WIDTH);
  const kept = [];
  for (let i = 0; i < points.length; i += size) {
    const part = points.slice(i, i + size);
    const low = part.reduce((a, b) => (b.value < a.value ? b : a));
    const high = part.reduce((a, b) => (b.value > a.value ? b : a));
    kept.push(...(low.step <= high.step ? [low, high] : [high, low]));
  }
  return kept;
}

/** A figure with `name`, its last value and the curve of `points` ({step, value}); gaps where a value was not finite. */
export function curve(name, points) {
  const finite = points.filter((point) => point.value !== null);
  const steps = points.map((point) => point.step);
  const [left, right] = [Math.min(...steps), Math.max(...steps)];
  const values = finite.map((point) => point.value);
  const [low, high] = values.length ? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] : [0, 1];
  const x = (step) => PAD + ((WIDTH - 2 * PAD) * (step - left)) / (right - left || 1);
  const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - PAD - ((HEIGHT - 2 * PAD) * (value - low)) / (high - low));
  let path = "";
  let pen = "M";
  for (const point of thinned(points)) {
    if (point.value === null) pen = "M";
    else {
      path += `${pen}${x(point.step).toFixed(1)} ${y(point.value).toFixed(1)}`;
      pen = "L";
    }
  }
  const last = finite.at(-1);
  const now = h("span.num", {}, short(last ? last.value : null));
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${name}: ${now.textContent}` });
  const cursor = svg("line", { class: "cursor", y1: 0, y2: HEIGHT, visibility: "hidden" });
  picture.append(svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }), svg("path", { d: path + (finite.length === 1 ? "h0.1" : ""), "stroke-linecap": "round" }), cursor);
  picture.addEventListener("mousemove", (event) => {
    const box = picture.getBoundingClientRect();
    const step = left + ((((event.clientX - box.left) / box.width) * WIDTH - PAD) / (WIDTH - 2 * PAD)) * (right - left);
    const near = points.reduce((a, b) => (Math.abs(b.step - step) < Math.abs(a.step - step) ? b : a));
    cursor.setAttribute("x1", x(near.step));
    cursor.setAttribute("x2", x(near.step));
    cursor.setAttribute("visibility", "visible");
    now.textContent = `${near.step}: ${short(near.value)}`;
  });
  picture.addEventListener("mouseleave", () => {
    cursor.setAttribute("visibility", "hidden");
    now.textContent = short(last ? last.value : null);
  });
  return h("figure.curve", {}, h("figcaption", {}, h("b", {}, name), now), picture, h("div.axis", {}, h("span", {}, String(left)), h("span", {}, `${short(low)} … ${short(high)}`), h("span", {}, String(right))));
}
