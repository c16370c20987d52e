// One target in one zone: its numbers, its course, and why.

import { keyOf } from "./board.js";
import { chainPart } from "./chain.js";
import { drawChart } from "./chart.js";
import { at, fill, h } from "./dom.js";
import { amount, interval, percent, points, say, word } from "./words.js";

export function drawDetail(page) {
  const { zones, targets } = page.catalogue;
  const target = targets.find((one) => one.id === page.look.target);
  const zone = zones.find((one) => one.id === page.look.zone);
  const row = page.cells.get(keyOf(zone.id, target.id));
  at("detail-title").textContent = `${say(target.name)}${word("dot")}${say(zone.name)}`;
  fill(at("look-target"), targets.map((one) => [one.id, say(one.name)]), target.id);
  fill(at("look-zone"), zones.map((one) => [one.id, say(one.name)]), zone.id);
  at("numbers").replaceChildren(...numbers(page, target, zone, row));
  const chart = at("chart");
  if (page.history && page.history.target === target.id && page.history.zone === zone.id) {
    drawChart(chart, {
      history: page.history, months: page.catalogue.months, target,
      threshold: row?.threshold, width: Math.max(280, chart.clientWidth),
    });
    chart.append(key(page));
  } else {
    chart.replaceChildren();
  }
  at("why").replaceChildren(...why(page, target, row));
}

function numbers(page, target, zone, row) {
  if (!page.cells.size) return [];
  if (!row) return [h("p", {}, word("no_part"))];
  const lines = [];
  if (target.id === "all") lines.push(word("all_note"));
  else {
    const sign = say(target.goal).split(" ")[0];
    const goal = `${sign} ${amount(row.threshold)} ${say(target.unit)}, ${target.deadline}`;
    lines.push(`${word(zone.id === "district" ? "threshold" : "share_threshold")}: ${goal}`);
  }
  const found = [];
  if (row.base !== undefined) found.push([word("baseline"), percent(row.base), interval(row.low, row.high)]);
  if (row.what_if !== undefined) {
    found.push([word("what_if"), percent(row.what_if), interval(row.what_if_low, row.what_if_high)]);
    found.push([word("difference"), points(row.difference),
      `${points(row.difference_low)} … ${points(row.difference_high)}`]);
  }
  const list = h("dl", { class: "figures" }, found.map(([name, value, bounds]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, value), h("small", {}, ` (${word("interval")} ${bounds})`)))));
  if (row.what_if !== undefined) {
    lines.push(word("gained", { runs: page.pairs, gained: row.gained, lost: row.lost }));
  }
  return [list, ...lines.map((line) => h("p", { class: "note" }, line))];
}

function key(page) {
  const item = (kind, text) => h("span", { class: "key" }, h("i", { class: kind }), text);
  const names = page.history.what_if
    ? [item("after", word("what_if")), item("before", word("baseline"))]
    : [item("after", word("baseline"))];
  return h("p", { class: "note" }, names, item("goal", word("threshold")),
    page.history.past ? item("past", word("past")) : null,
    ` ${word("median")}, ${word("band")}`);
}

function why(page, target, row) {
  if (!target.driven_by) return [];
  const meant = page.catalogue.measures.filter((measure) => measure.moves.includes(target.id));
  return [
    h("h3", {}, word("why")),
    h("p", {}, say(target.driven_by)),
    meant.length ? h("p", { class: "note" }, `${word("meant")}: `,
      meant.map((measure) => `${measure.number} ${say(measure.name)}`).join("; ")) : null,
    ...(row ? chainPart(page) : []),
  ].filter(Boolean);
}
