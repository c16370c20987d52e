// A fan chart: the runs' spread month by month, of the baseline and of the scenario.

import { amount, say, word } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 260;

function s(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Draw into ``root``; the text keeps its size whatever the width. */
export function drawChart(root, { history, months, target, threshold, width }) {
  const left = 52, right = 14, top = 30, bottom = 26;
  const fans = [history.base, history.what_if].filter((fan) => fan?.q50);
  if (!fans.length) {
    root.replaceChildren();
    return;
  }
  const number = (month) => 12 * Number(month.slice(0, 4)) + Number(month.slice(5)) - number0;
  const number0 = 12 * Number(months[0].slice(0, 4)) + Number(months[0].slice(5));
  const past = (history.past ?? []).map(({ month, value }) => ({ n: number(month), month, value }));
  const begin = Math.min(0, ...past.map(({ n }) => n));
  const values = fans.flatMap((fan) => [...fan.q05, ...fan.q95]).concat(threshold ?? [])
    .concat(past.map(({ value }) => value));
  const ceiling = Math.max(...values) * 1.06 || 1;
  const lowest = Math.min(...values);
  const floor = lowest > 0.5 * ceiling ? lowest - 0.06 * (ceiling - lowest) : 0;
  const x = (n) => left + ((n - begin) / (months.length - 1 - begin)) * (width - left - right);
  const y = (v) => top + (1 - (v - floor) / (ceiling - floor)) * (HEIGHT - top - bottom);
  const line = (row) => row.map((v, n) => `${n ? "L" : "M"}${x(n).toFixed(1)} ${y(v).toFixed(1)}`).join("");
  const band = (fan) => `${line(fan.q05)}${fan.q95.map((v, n) => [v, n]).reverse()
    .map(([v, n]) => `L${x(n).toFixed(1)} ${y(v).toFixed(1)}`).join("")}Z`;

  const picture = s("svg", {
    viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", class: "fan",
  });
  picture.append(s("title", {}, `${word("course")}: ${say(target.name)}`));
  for (const value of ticks(floor, ceiling)) {
    picture.append(s("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "grid" }));
    picture.append(s("text", { x: left - 6, y: y(value) + 4, class: "tick", "text-anchor": "end" }, amount(value)));
  }
  for (const [n, month] of months.entries()) {
    if (month.endsWith("-12") || n === 0 || n === months.length - 1) {
      picture.append(s("line", { x1: x(n), x2: x(n), y1: top, y2: HEIGHT - bottom, class: "grid" }));
      const anchor = n === 0 && begin === 0 ? "start" : n === months.length - 1 ? "end" : "middle";
      const close = n !== months.length - 1 && x(months.length - 1) - x(n) < 105;
      if (!close) {
        picture.append(s("text", { x: x(n), y: HEIGHT - 8, class: "tick", "text-anchor": anchor }, month));
      }
    }
  }
  picture.append(s("text", { x: 4, y: 16, class: "tick" }, `${say(target.measured)} (${say(target.unit)})`));
  const classes = history.what_if?.q50 ? ["before", "after"] : ["after"];
  fans.forEach((fan, n) => picture.append(s("path", { d: band(fan), class: `band ${classes[n]}` })));
  fans.forEach((fan, n) => picture.append(s("path", { d: line(fan.q50), class: `median ${classes[n]}` })));
  if (past.length) {
    const known = [...past, { n: 0, value: fans[0].q50[0] }];
    const d = known.map(({ n, value }, k) => `${k ? "L" : "M"}${x(n)} ${y(value)}`).join("");
    picture.append(s("path", { d, class: "past" }));
    for (const { n, month, value } of past) {
      const point = s("rect", { x: x(n) - 4, y: y(value) - 4, width: 8, height: 8, class: "past-point" });
      point.append(s("title", {}, `${month}: ${amount(value)}`));
      picture.append(point);
    }
  }
  if (threshold !== null && threshold !== undefined) {
    const due = months.indexOf(target.deadline);
    picture.append(s("line", { x1: x(0), x2: x(due), y1: y(threshold), y2: y(threshold), class: "goal" }));
    picture.append(s("circle", { cx: x(due), cy: y(threshold), r: 5, class: "goal-point" }));
  }
  root.replaceChildren(picture);
}

function ticks(floor, ceiling) {
  const rough = (ceiling - floor) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const found = [];
  for (let value = Math.ceil(floor / step) * step; value <= ceiling; value += step) found.push(value);
  return found;
}
