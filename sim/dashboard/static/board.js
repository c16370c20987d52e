// The board: targets as rows, zones as columns; each cell is a button.

import { at, h } from "./dom.js";
import { interval, percent, points, say, word } from "./words.js";

export const keyOf = (zone, target) => `${target}.${zone}`;

export function drawBoard(page) {
  const table = at("board");
  const { zones, targets } = page.catalogue;
  const held = table.contains(document.activeElement) ? document.activeElement.id : null;
  table.replaceChildren(
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, word("target")),
      zones.map((zone) => h("th", { scope: "col", "data-zone": zone.id }, say(zone.name))))),
    h("tbody", {}, targets.map((target) =>
      h("tr", { class: target.id === "all" ? "all" : null },
        h("th", { scope: "row" }, say(target.name),
          target.goal ? h("small", {}, ` ${say(target.goal)}`) : null),
        zones.map((zone) => h("td", { "data-zone": zone.id }, cell(page, zone, target)))))),
  );
  showZone(page.zone);
  if (held) at(held)?.focus();
}

/** On narrow screens one zone is shown at a time. */
export function showZone(zone) {
  for (const part of at("board").querySelectorAll("[data-zone]")) {
    part.classList.toggle("chosen-zone", part.dataset.zone === zone);
  }
}

/** Whether a difference can be told from chance, with all others of the board. */
export const told = (row) => row.told === true;

function cell(page, zone, target) {
  const row = page.cells.get(keyOf(zone.id, target.id));
  if (!row) return h("span", { class: "none" }, page.cells.size ? "–" : "");
  const what_if = row.what_if !== undefined;
  const p = what_if ? row.what_if : row.base;
  const bounds = what_if ? interval(row.what_if_low, row.what_if_high) : interval(row.low, row.high);
  const shift = what_if ? arrow(row) : "";
  const looked = page.look.zone === zone.id && page.look.target === target.id;
  const button = h("button", {
    type: "button", class: "cell", id: `cell-${keyOf(zone.id, target.id)}`,
    "aria-pressed": looked,
    "aria-label": `${say(target.name)}, ${say(zone.name)}: ${percent(p)} (${bounds}) ${shift}`,
    onclick: () => page.lookAt(zone.id, target.id),
  },
  h("span", { class: "p" }, percent(p)),
  what_if ? h("span", { class: told(row) ? "shift told" : "shift" }, shift) : null,
  h("span", { class: "bounds" }, bounds));
  button.style.background = page.catalogue.scale[Math.round(20 * p)];
  return button;
}

function arrow(row) {
  if (!told(row)) return points(row.difference);
  return `${row.difference > 0 ? "↑" : "↓"} ${points(row.difference)}`;
}
