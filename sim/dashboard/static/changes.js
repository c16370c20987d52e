// What differs from the plan, what that changes, and what it costs.

import { told } from "./board.js";
import { text } from "./control.js";
import { at, fill, h } from "./dom.js";
import { amount, behind, points, say, signed, word } from "./words.js";

export function drawChanges(page) {
  const settings = (page.scenario.levers ?? []).map((setting) => settingRow(page, setting));
  const shocks = (page.scenario.shocks ?? []).map((shock) => h("li", {},
    `${word("shock")}: ${say(shock.name)}, ${shock.start}, ${text(100 * shock.size)} %`));
  const further = ["priorities", "target_shares", "parameters"]
    .filter((kind) => Object.keys(page.scenario[kind] ?? {}).length)
    .map((kind) => h("li", {}, `${word("further")}: ${word(kind)} (${Object.keys(page.scenario[kind]).join(", ")})`));
  const all = [...settings, ...shocks, ...further];
  at("settings").replaceChildren(all.length ? h("ul", { class: "settings" }, all)
    : h("p", { class: "note" }, word("no_changes")));
}

function settingRow(page, setting) {
  const { catalogue } = page;
  const lever = catalogue.levers.find((one) => one.id === setting.lever);
  const named = (kind) => (setting[kind] ?? []).map(
    (id) => say(catalogue[kind].find((one) => one.id === id)?.name ?? { zh: id, en: id }));
  const where = ["measures", "departments", "zones", "sectors"].flatMap(named).join(", ");
  const months = catalogue.months.slice(1).map((month) => [month, month]);
  const pick = (field, empty) => {
    const select = h("select", {
      "aria-label": word(field),
      onchange: () => {
        if (select.value) setting[field] = select.value;
        else delete setting[field];
        page.changed();
      },
    });
    fill(select, [["", word(empty)], ...months], setting[field] ?? "");
    return select;
  };
  const ramp = h("input", {
    type: "text", inputmode: "numeric", size: 2, value: setting.ramp ?? 0, "aria-label": word("ramp"),
    onchange: () => {
      const value = Number(ramp.value);
      if (Number.isInteger(value) && value >= 0 && value <= 600) {
        setting.ramp = value;
        page.changed();
      } else ramp.value = setting.ramp ?? 0;
    },
  });
  const remove = h("button", {
    type: "button", class: "small",
    onclick: () => {
      page.scenario.levers = page.scenario.levers.filter((other) => other !== setting);
      page.changed();
    },
  }, word("remove"));
  return h("li", {},
    h("span", {}, `${say(lever.name)}${where ? `${word("dot")}${where}` : ""}: `, h("b", {}, text(setting.value)), behind(say(lever.unit))),
    h("span", { class: "when" }, h("label", {}, word("start"), " ", pick("start", "plan_start")),
      h("label", {}, word("ramp"), " ", ramp), h("label", {}, word("end"), " ", pick("end", "plan_end")), remove));
}

/** Which goals rise and fall, district first, and what it costs. */
export function drawEffects(page) {
  const rows = [...page.cells.values()].filter(told);
  const order = page.catalogue.zones.map((zone) => zone.id);
  const name = (kind, id) => say(page.catalogue[kind].find((one) => one.id === id).name);
  rows.sort((a, b) => order.indexOf(a.zone) - order.indexOf(b.zone) || b.difference - a.difference);
  const by = new Map();
  for (const row of rows) by.set(row.zone, [...(by.get(row.zone) ?? []), row]);
  const lines = [...by].map(([zone, found]) => h("li", {}, h("b", {}, name("zones", zone)), ": ",
    found.map((row) => `${name("targets", row.target)} ${row.difference > 0 ? "↑" : "↓"} ${points(row.difference)}`).join("; ")));
  const none = page.pairs ? word("no_effect") : word("no_what_if");
  at("effects").replaceChildren(lines.length ? h("ul", {}, lines) : h("p", { class: "note" }, none));
  at("costs").replaceChildren(costTable(page));
}

function costTable(page) {
  const { zones, items } = page.catalogue;
  const what_if = page.pairs > 0;
  const rows = new Map(page.costs.map((row) => [`${row.item}.${row.zone}`, row]));
  const titles = new Map(items.map((item) => [item.id, item.name ? say(item.name) : word(item.id)]));
  const cells = (row) => {
    if (!row) return [h("td", {}, "–")];
    if (!what_if) return [h("td", {}, amount(row.base))];
    const half = row.error ? amount(1.96 * row.error) : "0";
    const error = half === "0" ? null : h("span", { class: "error" }, ` ±${half}`);
    return [h("td", {}, amount(row.base)), h("td", {}, amount(row.base + row.difference)),
      h("td", {}, signed(row.difference), amount(row.difference) === "0" ? null : error)];
  };
  const line = (title, row, kind) => h("tr", { class: kind }, h("th", { scope: "row" }, title), cells(row));
  const moved = (row) => row && (what_if ? Math.abs(row.difference) > 1e-9 : row.base > 1e-9);
  const head = (key) => h("tr", { class: "head" }, h("th", { colspan: 4 }, word(key)));
  const total = rows.get("total.district");
  return h("table", { class: "plain" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, word("item")), h("th", { scope: "col" }, word("baseline")),
      what_if ? [h("th", { scope: "col" }, word("what_if")), h("th", { scope: "col" }, word("difference"))] : null)),
    h("tbody", {}, total ? line(word("total"), total, "all") : null,
      head("zones_head"), zones.slice(1).map((zone) => [zone, rows.get(`total.${zone.id}`)]).filter(([, row]) => moved(row))
        .map(([zone, row]) => line(say(zone.name), row, "zone")),
      head("items_head"), items.map((item) => [item, rows.get(`${item.id}.district`)]).filter(([, row]) => moved(row))
        .map(([item, row]) => line(titles.get(item.id), row, "item"))));
}
