// Figures as SVG that stand alone: what is seen is what is saved.

export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
  "#56b4e9", "#333333"];
const HEIGHT = 340, USUAL_WIDTH = 560;
const BOX = {left: 62, right: 12, top: 12, bottom: 46};
const GRID = "#e6e6e6", INK = "#444444";
const SPACE = "http://www.w3.org/2000/svg";

function element(name, attributes, text) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function range(values, log) {
  const shown = values.filter(v => Number.isFinite(v) && (!log || v > 0));
  if (!shown.length) return log ? [0.1, 10] : [0, 1];
  let low = Math.min(...shown), high = Math.max(...shown);
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 1, high + 1];
  return [low, high];
}

function ticks(low, high, log) {
  if (log) {
    const decades = Math.log10(high / low);
    const steps = decades < 3 ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil(decades / 7));
    const found = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.ceil(Math.log10(high)); k++) {
      if (decades >= 3 && k % every) continue;
      for (const s of steps) found.push(s * 10 ** k);
    }
    return found.filter(v => v >= low * 0.9999 && v <= high * 1.0001);
  }
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(s => s * power).find(s => s >= raw);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++)
    found.push(k * step);
  return found;
}

const plain = v => String(Number(v.toPrecision(3)));

// spec: {title, x: {label, log}, y: {label, log, zero}, series: [...], about}
// series: {name, kind: "line" | "points" | "strokes", x, y, error, colour, dash}
export function draw(place, spec) {
  const WIDTH = place.clientWidth || USUAL_WIDTH; // text keeps its size on any screen
  const {x: xAxis, y: yAxis, series} = spec;
  const numbers = key => series.flatMap(s => (s[key] ?? []).map(Number));
  const [x0, x1] = range(numbers("x"), xAxis.log);
  let [y0, y1] = range(numbers("y"), yAxis.log);
  if (yAxis.zero) y0 = Math.min(0, y0);
  if (yAxis.log) [y0, y1] = [y0 / 1.15, y1 * 1.15];
  else y1 += 0.06 * (y1 - y0);
  const scale = (v, low, high, log, from, to) => {
    const share = log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low);
    return from + share * (to - from);
  };
  const px = v => scale(v, x0, x1, xAxis.log, BOX.left, WIDTH - BOX.right);
  const py = v => scale(v, y0, y1, yAxis.log, HEIGHT - BOX.bottom, BOX.top);
  const names = series.filter(s => s.name);
  const columns = WIDTH > 480 ? 2 : 1;
  const height = HEIGHT + 20 * Math.ceil(names.length / columns);
  const svg = element("svg", {xmlns: SPACE, viewBox: `0 0 ${WIDTH} ${height}`, role: "img",
    "font-family": "system-ui, sans-serif", "font-size": 13, fill: INK});
  svg.append(element("title", {}, spec.title), element("desc", {}, spec.about));
  svg.append(element("rect", {width: WIDTH, height, fill: "#ffffff"}));
  for (const v of ticks(x0, x1, xAxis.log)) {
    svg.append(element("line", {x1: px(v), x2: px(v), y1: BOX.top, y2: HEIGHT - BOX.bottom,
      stroke: GRID}));
    svg.append(element("text", {x: px(v), y: HEIGHT - BOX.bottom + 17,
      "text-anchor": "middle"}, plain(v)));
  }
  for (const v of ticks(y0, y1, yAxis.log)) {
    svg.append(element("line", {x1: BOX.left, x2: WIDTH - BOX.right, y1: py(v), y2: py(v),
      stroke: GRID}));
    svg.append(element("text", {x: BOX.left - 7, y: py(v) + 4, "text-anchor": "end"},
      plain(v)));
  }
  svg.append(element("path", {d: `M${BOX.left},${BOX.top}V${HEIGHT - BOX.bottom}`
    + `H${WIDTH - BOX.right}`, fill: "none", stroke: "#555555"}));
  svg.append(element("text", {x: (BOX.left + WIDTH - BOX.right) / 2, y: HEIGHT - 8,
    "text-anchor": "middle"}, xAxis.label));
  svg.append(element("text", {transform: `translate(15 ${(HEIGHT - BOX.bottom) / 2}) `
    + "rotate(-90)", "text-anchor": "middle"}, yAxis.label));
  for (const s of series) svg.append(...marks(s, px, py, yAxis.log));
  names.forEach((s, k) => svg.append(...legend(s, k, columns)));
  place.replaceChildren(svg);
}

function marks(s, px, py, log) {
  const seen = s.x.map((v, i) => [Number(v), s.y?.[i] ?? "", s.error?.[i]])
    .filter(([, y]) => s.kind === "strokes" || y !== "")
    .map(([x, y, error]) => [x, Number(y), error]);
  if (s.kind === "strokes")
    return seen.map(([x]) => element("line", {x1: px(x), x2: px(x),
      y1: HEIGHT - BOX.bottom, y2: HEIGHT - BOX.bottom - 60, stroke: s.colour,
      "stroke-width": 2.2, "stroke-dasharray": s.dash ?? "none"}));
  if (s.kind === "line") {
    let path = "", pen = "M";
    s.x.forEach((v, i) => {
      const y = s.y[i] === "" ? NaN : Number(s.y[i]);
      if (!Number.isFinite(y) || (log && y <= 0)) { pen = "M"; return; }
      path += `${pen}${px(Number(v)).toFixed(2)},${py(y).toFixed(2)}`;
      pen = "L";
    });
    return [element("path", {d: path, fill: "none", stroke: s.colour, "stroke-width": 2.2,
      "stroke-dasharray": s.dash ?? "none"})];
  }
  return seen.flatMap(([x, y, error]) => {
    const found = [];
    if (error !== undefined) {
      const low = log ? Math.max(y - error, y / 10) : y - error;
      found.push(element("line", {x1: px(x), x2: px(x), y1: py(low), y2: py(y + error),
        stroke: s.colour, "stroke-width": 1.6}));
    }
    found.push(element("circle", {cx: px(x), cy: py(y), r: 4.5, stroke: s.colour,
      "stroke-width": 1.8, fill: error === undefined ? s.colour : "#ffffff"}));
    return found;
  });
}

function legend(s, k, columns) {
  const x = BOX.left + (k % columns) * 230;
  const y = HEIGHT + 12 + 20 * Math.floor(k / columns);
  const mark = s.kind === "points"
    ? element("circle", {cx: x + 12, cy: y - 4, r: 4.5, stroke: s.colour,
        "stroke-width": 1.8, fill: s.error ? "#ffffff" : s.colour})
    : element("line", {x1: x, x2: x + 24, y1: y - 4, y2: y - 4, stroke: s.colour,
        "stroke-width": 2.2, "stroke-dasharray": s.dash ?? "none"});
  return [mark, element("text", {x: x + 31, y}, s.name)];
}

// The numbers of a figure, one row a mark.
export function table(spec) {
  const rows = [["series", "x", "y", "standard_error"]];
  for (const s of spec.series)
    s.x.forEach((x, i) => rows.push([`"${s.name || s.kind}"`, x, s.y?.[i] ?? "",
      s.error?.[i] ?? ""]));
  return rows.map(row => row.join(",")).join("\n") + "\n";
}
