// Blows and booms from outside: those of the scenario, and new ones.

import { control } from "./control.js";
import { fill, h } from "./dom.js";
import { freeId } from "./scenario.js";
import { say, word } from "./words.js";

const FIELDS = [
  { field: "size", low: -0.95, high: 1, step: 0.05, plan: 0 },
  { field: "size_sd", low: 0, high: 1, step: 0.01, plan: 0 },
  { field: "length", low: 1, high: 36, step: 1, plan: 1 },
  { field: "recovery", low: 0, high: 1, step: 0.05, plan: 0 },
  { field: "recovery_months", low: 1, high: 36, step: 1, plan: 6 },
];

export function shockPanel(page) {
  const shocks = page.scenario.shocks ?? [];
  const add = h("button", {
    type: "button", id: "add-shock",
    onclick: () => {
      const id = freeId(page.scenario);
      const number = id.split("_")[1];
      page.scenario.shocks = [...shocks, {
        id, name: { zh: `冲击 ${number}`, en: `Shock ${number}` },
        start: page.timing().start ?? page.catalogue.months[1], length: 3, size: -0.1,
      }];
      page.changed();
      page.rebuild();
    },
  }, word("add_shock"));
  return h("div", {}, shocks.length ? null : h("p", { class: "note" }, word("no_shock")),
    shocks.map((shock) => one(page, shock)), add);
}

function one(page, shock) {
  const start = h("select", {
    onchange: () => {
      shock.start = start.value;
      page.changed();
    },
  });
  fill(start, page.catalogue.months.slice(1).map((month) => [month, month]), shock.start);
  const sliders = FIELDS.map((of) =>
    control({
      ...of, high: Math.max(of.high, shock[of.field] ?? of.low), name: word(of.field), unit: "",
      key: `${shock.id}.${of.field}`,
      get: () => shock[of.field] ?? null,
      put: (value) => {
        shock[of.field] = ["length", "recovery_months"].includes(of.field) ? Math.round(value) : value;
        page.changed();
      },
      reset: () => {
        shock[of.field] = of.plan;
        page.changed();
        page.rebuild();
      },
    }));
  const remove = h("button", {
    type: "button", class: "small",
    onclick: () => {
      page.scenario.shocks = page.scenario.shocks.filter((other) => other !== shock);
      page.changed();
      page.rebuild();
    },
  }, word("remove"));
  return h("fieldset", { class: "shock" }, h("legend", {}, say(shock.name)),
    h("div", { class: "line" }, h("label", {}, `${word("start")} `, start), remove),
    sliders.map((slider) => slider.element),
    names(page, shock, "sectors", word("to_sectors"), page.catalogue.sectors),
    names(page, shock, "zones", word("to_zones"), page.catalogue.zones.slice(1)));
}

function names(page, shock, kind, title, known) {
  const boxes = known.map((record) =>
    h("input", {
      type: "checkbox", value: record.id, checked: (shock[kind] ?? []).includes(record.id),
      onchange: () => {
        shock[kind] = boxes.filter((box) => box.checked).map((box) => box.value);
        if (!shock[kind].length) delete shock[kind];
        page.changed();
      },
    }));
  return h("details", { "data-part": `${shock.id}-${kind}` }, h("summary", {}, title),
    h("div", { class: "choices" },
      boxes.map((box, n) => h("label", { class: "choice" }, box, say(known[n].name)))));
}
