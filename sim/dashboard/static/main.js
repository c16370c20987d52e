// The page: what it knows, and what happens when something is moved or heard.

import { drawBoard, keyOf, showZone } from "./board.js";
import { drawChanges, drawEffects } from "./changes.js";
import { drawDetail } from "./detail.js";
import { at, fill, h } from "./dom.js";
import { buildLevers, refreshLevers } from "./levers.js";
import { connect } from "./live.js";
import { asksTheSame, tidy } from "./scenario.js";
import { fetchWords, label, percent, points, say, shown, word } from "./words.js";

const FULL = 1013; // with which the program closes the connection of a page too many
const PAUSE = 500; // milliseconds after the last change, before a run starts by itself

const page = {
  catalogue: null, base: null, scenario: null, examples: [], limits: null, seed: null,
  cells: new Map(), costs: [], history: null, pairs: 0, chain: null,
  look: { zone: "district", target: null }, zone: "district",
  run: 0, running: false, status: ["starting", {}],
  timing, changed, rebuild: () => buildLevers(at("levers"), page), lookAt,
  trace: () => work("why"), tell: (message) => live.tell(message),
};

let live = null;
let timer = null;

function timing() {
  const ramp = Number(at("default-ramp").value);
  const start = at("default-start").value;
  return { start, ramp: Number.isInteger(ramp) && ramp > 0 && ramp <= 600 ? ramp : 0 };
}

/** Something was moved: show it, and run when it is left alone. */
function changed() {
  forgetChain();
  placeholders();
  refreshLevers();
  drawChanges(page);
  clearTimeout(timer);
  say_status("waiting");
  if (at("auto").checked) timer = setTimeout(start, PAUSE);
}

/** Have the program work on the scenario that is set: runs, the chain of causes, a briefing. */
function work(type, more = {}) {
  clearTimeout(timer);
  const runs = Number(at("runs").value);
  const asked = { type, run: page.run + 1, runs, scenario: named(), language: shown.language, ...more };
  if (!live.tell(asked)) return;
  page.run += 1;
  page.running = true;
  say_status("starting");
  progress(0, runs);
}

function start() {
  forgetChain();
  work("run");
}

/** A chain of causes is of the scenario in which it was traced. */
function forgetChain() {
  if (!page.chain) return;
  page.chain = null;
  drawDetail(page);
}

function cancel() {
  clearTimeout(timer);
  live.tell({ type: "cancel", run: page.run });
}

/** The scenario with the names that are typed; one that differs from the base has another id. */
function named() {
  const scenario = tidy(page.scenario);
  const zh = at("name-zh").value.trim();
  const en = at("name-en").value.trim();
  scenario.name = { zh: zh || scenario.name.zh, en: en || scenario.name.en };
  if (!asksTheSame(scenario, page.base) && scenario.id === page.base.id) {
    scenario.id = "what_if";
    scenario.name = { zh: zh || word("own_zh"), en: en || word("own_en") };
    scenario.question = {
      zh: `${scenario.name.zh}：各项目标更有把握吗？`,
      en: `${scenario.name.en}: are the targets safer?`,
    };
  }
  return scenario;
}

/** The names that the scenario has where none are typed. */
function placeholders() {
  const { zh, en } = named().name;
  if (!at("name-zh").value) at("name-zh").placeholder = zh;
  if (!at("name-en").value) at("name-en").placeholder = en;
}

function lookAt(zone, target) {
  page.look = { zone, target };
  live.tell({ type: "look", zone, target });
  askMap();
  drawBoard(page);
  drawDetail(page);
  headline();
}

const say_status = (key, values = {}) => {
  page.status = [key, values];
  const base = page.base_total
    ? page.base_done < page.base_total
      ? word("base_busy", { done: page.base_done, total: page.base_total })
      : word("base_ready", { total: page.base_total })
    : "";
  const first = key ? word(key, values).replace(/[.。]$/, "") : "";
  at("status").textContent = [first, base].filter(Boolean).join(word("stop"));
  at("cancel").disabled = !page.running;
};

function progress(done, total) {
  at("progress").max = total || 1;
  at("progress").value = done;
}

function notice(text) {
  const box = at("notice");
  box.hidden = !text;
  box.replaceChildren(...(text ? [h("span", {}, text),
    h("button", { type: "button", class: "small", onclick: () => notice("") }, word("close"))] : []));
}

function headline() {
  const row = page.cells.get(keyOf(page.look.zone, page.look.target));
  const named = (kind, id) => say(page.catalogue[kind].find((one) => one.id === id).name);
  const title = `${named("targets", page.look.target)}${word("dot")}${named("zones", page.look.zone)}`;
  const found = row
    ? row.what_if === undefined ? percent(row.base)
      : `${percent(row.base)} → ${percent(row.what_if)} (${points(row.difference)})`
    : "–";
  at("headline").replaceChildren(h("span", {}, title), " ", h("b", { id: "headline-value" }, found));
}

function drawAll() {
  document.documentElement.lang = shown.language;
  document.title = word("title");
  label();
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === shown.language));
  }
  if (!page.catalogue) return;
  const { plan, zones, months } = page.catalogue;
  at("plan-name").textContent = `${say(plan.name)}${word("dot")}${months[1]} – ${plan.end}`;
  fill(at("zone"), zones.map((zone) => [zone.id, say(zone.name)]), page.zone);
  fill(at("default-start"), months.slice(1).map((month) => [month, month]));
  fill(at("runs"), runNumbers().map((n) => [n, n]), at("runs").value || page.limits.usual);
  fill(at("example"), [["", word("choose")], ...page.examples.map((one) => [one.file, say(one.name)])], "");
  at("foot").textContent = word("foot", { seed: page.seed });
  placeholders();
  exportButtons();
  briefButtons();
  page.rebuild();
  drawResults();
  drawChanges(page);
  say_status(...page.status);
}

const runNumbers = () => [...new Set([100, 200, 400, 1000, page.limits.usual, page.limits.most])]
  .filter((n) => n >= page.limits.fewest && n <= page.limits.most).sort((a, b) => a - b);

function exportButtons() {
  const maps = page.catalogue.map ? [["map", "png"], ["map", "svg"]] : [];
  const kinds = [["board", "png"], ["board", "svg"], ...maps, ["fan", "png"], ["fan", "svg"], ["table", "csv"], ["table", "xlsx"]];
  at("exports").replaceChildren(...kinds.map(([what, kind]) =>
    h("button", {
      type: "button", "data-export": `${what}.${kind}`,
      onclick: () => live.tell({ type: "export", what, kind, language: shown.language }),
    }, `${word(`export_${what}`)} ${kind === "xlsx" ? "Excel" : kind.toUpperCase()}`)));
}

const BRIEFS = { docx: "Word", pptx: "PowerPoint", html: "HTML", pdf: "PDF" };

function briefButtons() {
  at("briefs").replaceChildren(...Object.entries(BRIEFS).map(([kind, name]) =>
    h("button", { type: "button", "data-brief": kind, onclick: () => work("brief", { kind }) },
      `${word("brief_as")} ${name}`)));
  at("brief-note").textContent = word("brief_note", { most: page.limits.most });
}

function drawResults() {
  drawBoard(page);
  drawDetail(page);
  drawEffects(page);
  headline();
}

/** Ask for the map anew, when results stand or something else is looked at. */
function askMap() {
  at("map-part").hidden = !page.catalogue.map;
  if (!page.catalogue.map || !page.cells.size || !at("map-fold").open) return;
  live.tell({ type: "map", language: shown.language });
}

function results(message) {
  if (message.run !== undefined && message.run !== page.run) return; // of an older question
  page.cells = new Map(message.cells.map((row) => [keyOf(row.zone, row.target), row]));
  Object.assign(page, {
    costs: message.costs, history: message.history, pairs: message.pairs,
    base_done: message.base_done, base_total: message.base_total,
  });
  const width = message.half_width === null ? "–" : (100 * message.half_width).toFixed(1);
  if (message.finished) {
    page.running = false;
    progress(message.total ?? 0, message.total ?? 1);
    if (message.total) say_status("finished", { total: message.total, took: message.took.toFixed(1), width });
    else say_status("same");
  } else if (message.total) {
    progress(message.done, message.total);
    say_status("running", { done: message.done, total: message.total, left: Math.ceil(message.left), width });
  } else {
    say_status(...(page.status[0] === "starting" && !page.running ? ["", {}] : page.status));
  }
  drawResults();
  const stage = message.base_done === message.base_total ? "whole" : "part";
  if (message.finished || (message.run === undefined && page.mapped !== stage)) askMap();
  page.mapped = stage;
}

function take(scenario) {
  page.scenario = structuredClone(scenario);
  page.chain = null;
  at("name-zh").value = at("name-en").value = "";
  drawAll();
}

const HEARD = {
  hello(message) {
    const again = page.catalogue !== null;
    page.catalogue = message.catalogue;
    Object.assign(page, { base: message.scenario, examples: message.examples, limits: message.limits, seed: message.seed });
    page.look.target ??= page.catalogue.targets[0].id;
    page.running = false;
    notice("");
    if (!again) take(message.scenario);
    else drawAll();
    live.tell({ type: "look", ...page.look });
    if (again && !asksTheSame(page.scenario, page.base)) start();
  },
  results,
  map(message) {
    at("map").src = `data:image/svg+xml;base64,${message.data}`;
    at("map").alt = at("map-title").textContent;
    at("map").hidden = false;
  },
  history(message) {
    page.history = message.history;
    drawDetail(page);
  },
  progress(message) {
    if (message.run !== page.run) return;
    progress(message.done, message.total);
    say_status(`stage_${message.stage}`, message);
  },
  chain(message) {
    if (message.run !== page.run) return;
    page.running = false;
    page.chain = message;
    progress(1, 1);
    say_status("traced", message);
    drawDetail(page);
    live.tell({ type: "chain", language: shown.language });
  },
  chain_picture(message) {
    if (!page.chain) return;
    page.chain.picture = message.data;
    drawDetail(page);
  },
  briefed(message) {
    if (message.run !== page.run) return;
    page.running = false;
    progress(1, 1);
    say_status("briefed", message);
  },
  stopped(message) {
    if (message.run !== page.run) return;
    page.running = false;
    say_status("stopped");
  },
  loaded(message) {
    notice("");
    take(message.scenario);
    start();
    page.status = ["loaded", { file: message.file }];
    say_status(...page.status);
  },
  problem(message) {
    const full = message.about === "full";
    notice(full ? word("full", message) : `${word("problem")}: ${message.text}`);
    if (["run", "why", "brief"].includes(message.about)) {
      page.running = false;
      say_status("stopped");
    }
  },
  file(message) {
    const bytes = Uint8Array.from(atob(message.data), (letter) => letter.charCodeAt(0));
    const url = URL.createObjectURL(new Blob([bytes], { type: message.kind }));
    const link = h("a", { href: url, download: message.name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  },
};

async function load(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  const most = page.limits.bytes;
  if (file.size > most) {
    notice(word("too_large", { file: file.name, size: file.size, most }));
    return;
  }
  live.tell({ type: "load", name: file.name, text: await file.text() });
}

function listen() {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      shown.language = button.dataset.language;
      drawAll();
      if (page.catalogue) askMap();
      if (page.chain) live.tell({ type: "chain", language: shown.language });
    });
  }
  at("map-fold").addEventListener("toggle", () => page.catalogue && askMap());
  at("run").addEventListener("click", start);
  at("cancel").addEventListener("click", cancel);
  at("zone").addEventListener("change", () => {
    page.zone = at("zone").value;
    showZone(page.zone);
    lookAt(page.zone, page.look.target);
  });
  const look = () => lookAt(at("look-zone").value, at("look-target").value);
  at("look-zone").addEventListener("change", look);
  at("look-target").addEventListener("change", look);
  at("save").addEventListener("click", () => live.tell({ type: "save", scenario: named() }));
  at("plain").addEventListener("click", () => {
    take(page.base);
    start();
  });
  at("example").addEventListener("change", () => {
    if (at("example").value) live.tell({ type: "example", file: at("example").value });
  });
  at("load").addEventListener("change", load);
  new ResizeObserver(() => page.catalogue && drawDetail(page)).observe(at("detail-part"));
}

at("map-fold").open = !matchMedia("(max-width: 860px)").matches; // there it has to be scrolled
shown.language = navigator.language.startsWith("en") ? "en" : "zh";
await fetchWords();
listen();
drawAll();
live = connect((message) => HEARD[message.type]?.(message), (code, refused) => {
  page.running = false;
  if (code !== FULL) notice(word(refused ? "token" : "lost"));
});
