// The page: controls to requests, answers to figures. The server keeps nothing; the
// address of the page holds the state.

import {COLOURS, draw, table} from "/plot.js";

const FAST = ["state", "curve", "point", "after", "before"];
const SLOW = ["width", "outliers", "equations"];
const PAUSE = 250; // milliseconds before what is typed is read
const form = document.getElementById("form");
const byId = id => document.getElementById(id);
const controls = [...form.querySelectorAll("[name]")];
const sliders = [...form.querySelectorAll("input[type=range]")];
const query = new URLSearchParams(location.search);

let base = query.get("problem") ?? undefined; // the problem file that controls change
let edited = false; // controls hold more than the file does
let answers = {}, points = [], figures = {};
let generation = 0, drawing = 0, refused = false;

function request(more = {}) {
  const fields = Object.fromEntries(controls.map(c => [c.name, c.value]));
  const width = fields.width;
  delete fields.width;
  return {problem: base, form: edited ? fields : {}, width, ...more};
}

async function ask(part, body) {
  let reply;
  try {
    reply = await fetch(`/answer/${part}`, {method: "POST", body: JSON.stringify(body),
      headers: {"Content-Type": "application/json"}});
  } catch {
    return {failure: {message: "the explorer has ended; start it again", field: ""}};
  }
  return reply.json();
}

// One request a lane at a time; what changes meanwhile is asked for afterwards.
class Lane {
  constructor(parts) { Object.assign(this, {parts, busy: false}); }
  async run() {
    if (this.busy) return;
    this.busy = true;
    let mine;
    do {
      mine = generation;
      for (const part of this.parts) {
        if (part === "width" && !byId("width").value.trim()) continue;
        const answer = await ask(part, request());
        if (mine !== generation || !show(part, answer)) break;
      }
    } while (mine !== generation);
    this.busy = false;
  }
}
const fast = new Lane(FAST), slow = new Lane(SLOW);

let waiting;
function changed(pause = 0) {
  generation++;
  clearTimeout(waiting);
  byId("status").textContent = "computing";
  waiting = setTimeout(async () => {
    await fast.run();
    if (!refused) await slow.run();
    if (!fast.busy && !slow.busy) byId("status").textContent = refused ? "" : "done";
  }, pause);
}

// Returns whether the parts that follow are to be asked for.
function show(part, answer) {
  const {failure} = answer;
  if (part === "state") {
    say(failure);
    refused = failure !== undefined;
    if (refused) return false;
    if (answers.state?.problem !== answer.problem) { points = []; drawing++; }
    answers = {...(answers.state?.problem === answer.problem ? answers : {}), state: answer};
    delete answers.width;
    if (!edited) fill(answer.form);
    relate(answer.form.layer);
    byId("problem").textContent = answer.problem;
    const link = new URLSearchParams({problem: answer.problem});
    if (byId("width").value.trim()) link.set("width", byId("width").value.trim());
    byId("link").href = `/?${link}`;
    history.replaceState(null, "", `/?${link}`);
    byId("draw-note").textContent = "";
    return true;
  }
  byId(`${part}-note`).textContent = failure ? failure.message : answer.note ?? "";
  if (failure) delete answers[part];
  else answers[part] = answer;
  SHOW[part]();
  return true;
}

function say(failure) {
  byId("error").textContent = failure?.message ?? "";
  const name = (failure?.field ?? "").split(".").pop().replace(/\[.*/, "");
  const meant = {spike: "values", readout: "values", weights: "values"}[name] ?? name;
  for (const c of controls) {
    c.toggleAttribute("aria-invalid", false);
    if (failure && c.name === meant) c.setAttribute("aria-invalid", "true");
  }
}

function fill(values) {
  for (const c of controls) if (c.name in values) c.value = values[c.name];
  sliders.forEach(follow);
}

function relate(layer) {
  const trained = layer === "network";
  byId("step-control").hidden = !trained;
  byId("values-label").innerHTML = trained ? "Vocabulary <i>A</i>" : "Spikes <i>u</i>";
}

// Sliders: positions 0 to 1000, even in the value or in its logarithm.
function slide(slider) {
  const {low, high, log} = slider.dataset, share = slider.value / 1000;
  const value = log === undefined ? +low + share * (high - low) : low * (high / low) ** share;
  return String(Number(value.toPrecision(3)));
}

function number(text) {
  const [over, under = "1"] = text.split("/");
  return over.trim() === "" ? NaN : Number(over) / Number(under);
}

function follow(slider) {
  const {low, high, log} = slider.dataset;
  const value = number(byId(slider.dataset.for).value);
  if (!Number.isFinite(value)) return;
  const share = log === undefined ? (value - low) / (high - low)
    : Math.log(value / low) / Math.log(high / low);
  slider.value = Math.round(1000 * Math.min(1, Math.max(0, share)));
  slider.setAttribute("aria-valuetext", byId(slider.dataset.for).value);
}

function about() {
  return `detequiv ${answers.state.version}\n${answers.state.problem}`;
}

function plot(id, spec) {
  figures[id] = {...spec, about: about()};
  draw(byId(id), figures[id]);
}

function clear(id) {
  delete figures[id];
  byId(id).replaceChildren();
}

const ERRORS = {generalization_error: "generalisation error", training_error: "training error"};

function showCurve() {
  const {curve, width, point} = answers;
  if (!curve) return clear("curve");
  const series = [];
  Object.entries(ERRORS).forEach(([name, title], k) => {
    const colour = COLOURS[k];
    if (width)
      series.push({name: `${title}, p = ${byId("width").value.trim()}`, kind: "line",
        x: width.x, y: width[name], colour});
    series.push({name: width ? `${title}, limit` : title, kind: "line", x: curve.x,
      y: curve[name], colour, dash: width ? "5 4" : undefined});
    const now = point?.numbers.find(([n]) => n === name);
    if (now && !width)
      series.push({kind: "points", x: [number(answers.state.form.samples_per_dim)],
        y: [now[3]], colour});
    if (points.length)
      series.push({name: k ? "" : "simulation, ±1 s.e.", kind: "points", colour,
        x: points.map(p => p.x), y: points.map(p => p[name][0]),
        error: points.map(p => p[name][1])});
  });
  const all = series.flatMap(s => s.y.filter(v => v !== "").map(Number));
  const log = Math.min(...all) > 0 && Math.max(...all) > 30 * Math.min(...all);
  plot("curve", {title: "Generalisation and training error against n/d", series,
    x: {label: "samples per input dimension, n/d", log: true},
    y: {label: "mean of (y − f)²", log, zero: !log}});
}

function showPoint() {
  showLearned();
  showCurve();
  const {point, width} = answers;
  byId("numbers").innerHTML = "";
  if (!point) return;
  const head = ["quantity", "limit", ...(width ? [`p = ${byId("width").value.trim()}`] : [])];
  const rows = point.numbers.map(([name, title, definition, text], i) =>
    [[name, title, definition], text, ...(width ? [width.numbers[i][3]] : [])]);
  const line = byId("numbers").createTHead().insertRow();
  for (const text of head)
    line.append(Object.assign(document.createElement("th"), {scope: "col", textContent: text}));
  const body = byId("numbers").createTBody();
  for (const [[name, title, definition], ...texts] of rows) {
    const row = body.insertRow();
    const first = Object.assign(document.createElement("th"),
      {scope: "row", textContent: title});
    first.append(Object.assign(document.createElement("small"), {textContent: definition}));
    row.append(first);
    texts.forEach((text, k) => {
      row.insertCell().textContent = text;
      row.lastChild.dataset.quantity = k ? `${name}_at_width` : name;
    });
  }
}

function showLearned() {
  const {point, width} = answers;
  if (!point?.learned) return clear("learned");
  const line = (name, y, colour, dash) =>
    ({name, kind: "line", x: point.kappa, y, colour, dash});
  const series = [line("target, E[y | κ]", point.target, COLOURS[6], "5 4"),
    line(width ? "learned, limit" : "learned, E[f(x) | κ]", point.learned, COLOURS[0],
      width ? "2 3" : undefined)];
  if (width?.learned)
    series.push(line(`learned, p = ${byId("width").value.trim()}`, width.learned, COLOURS[0]));
  plot("learned", {title: "Learned function and target", series,
    x: {label: "projection on the spike, κ = ⟨v, x⟩"}, y: {label: "mean given κ"}});
}

function showSpectrum() {
  const {outliers} = answers, series = [];
  for (const [k, when] of ["before", "after"].entries()) {
    const law = answers[when], colour = COLOURS[k];
    if (!law) continue;
    series.push({name: `${when} the step`, kind: "line", x: law.x, colour,
      y: law.x.map((x, i) => x * law.density[i]), dash: k ? undefined : "5 4"});
    const places = outliers?.[when] ?? [];
    if (places.length)
      series.push({name: `outliers ${when}, p = ${outliers.width}`, kind: "strokes",
        x: places, colour, dash: k ? undefined : "4 3"});
  }
  if (!series.length) return clear("spectrum");
  plot("spectrum", {title: "Density of eigenvalues before and after the step", series,
    x: {label: "eigenvalue x of ΦᵀΦ / n", log: true},
    y: {label: "density of log x", zero: true}});
}

const SHOW = {
  point: showPoint,
  curve: showCurve,
  after: showSpectrum,
  before: showSpectrum,
  outliers: showSpectrum,
  width: showPoint,
  equations: () => { byId("equations").innerHTML = answers.equations?.html ?? ""; },
};

async function simulate() {
  const mine = ++drawing;
  const sizes = Object.fromEntries(["dimension", "draws", "seed"].map(
    id => [id, byId(id).value]));
  points = [];
  const note = byId("draw-note"), places = answers.state.places;
  for (const place of places.keys()) {
    note.textContent = `drawing, ${place} of ${places.length} points done`;
    const answer = await ask("draw", request({...sizes, place: String(place)}));
    if (mine !== drawing) return;
    if (answer.failure) { note.textContent = answer.failure.message; return; }
    points.push(answer);
    showCurve();
  }
  note.textContent = "The same draws: detequiv curve problem.toml --vary "
    + `ridge.samples_per_dim=${places.join(",")} --simulate d=${sizes.dimension},`
    + `reps=${sizes.draws} --seed ${sizes.seed}`;
}

function save(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], {type}));
  Object.assign(document.createElement("a"), {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function addButtons(id) {
  const bar = Object.assign(document.createElement("p"), {className: "buttons"});
  const title = byId(`${id}-title`).textContent.toLowerCase();
  const button = (text, act) => {
    const made = Object.assign(document.createElement("button"), {type: "button",
      textContent: text});
    made.setAttribute("aria-label", `${text} of the ${title}`);
    made.addEventListener("click", () => figures[id] && act());
    bar.append(made);
  };
  button("Save SVG", () => save(`${id}.svg`,
    new XMLSerializer().serializeToString(byId(id).firstChild), "image/svg+xml"));
  button("Save CSV", () => save(`${id}.csv`, table(figures[id]), "text/csv"));
  byId(id).after(bar);
}

["curve", "learned", "spectrum"].forEach(addButtons);
for (const slider of sliders) {
  const label = form.querySelector(`label[for=${slider.dataset.for}]`);
  Object.assign(slider, {min: 0, max: 1000, step: 1});
  slider.setAttribute("aria-label", `${label.textContent}, slider`);
  slider.addEventListener("input", () => {
    byId(slider.dataset.for).value = slide(slider);
    slider.setAttribute("aria-valuetext", slide(slider));
    edited = true;
    changed();
  });
}
for (const control of controls)
  control.addEventListener("input", () => {
    edited = edited || control.name !== "width";
    sliders.filter(s => s.dataset.for === control.name).forEach(follow);
    changed(PAUSE);
  });
form.addEventListener("submit", event => event.preventDefault());
byId("simulate").addEventListener("click", simulate);
byId("toml").addEventListener("click", () =>
  answers.state && save("problem.toml", answers.state.problem, "application/toml"));
byId("latex").addEventListener("click", () =>
  answers.equations && save("equations.tex", answers.equations.latex, "text/x-tex"));
byId("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(byId("link").href);
  byId("copy").textContent = "Copied";
  setTimeout(() => { byId("copy").textContent = "Copy link"; }, 1500);
});
addEventListener("resize", () => {
  for (const [id, spec] of Object.entries(figures)) draw(byId(id), spec);
});
byId("width").value = query.get("width") ?? "";
changed();
