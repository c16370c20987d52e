// The panel of levers: money and rules, measures by group, departments, shocks.

import { control, text } from "./control.js";
import { h } from "./dom.js";
import { set, unset, valueOf } from "./scenario.js";
import { shockPanel } from "./shocks.js";
import { say, word } from "./words.js";

let controls = [];

/** Build the panel anew; what lies open stays open. */
export function buildLevers(root, page) {
  const open = new Set([...root.querySelectorAll("details[open]")].map((part) => part.dataset.part));
  const first = !root.children.length;
  controls = [];
  root.replaceChildren(
    panel("money", word("money"), money(page)),
    ...page.catalogue.groups.map((group) =>
      panel(`group-${group.id}`, `${word("measures")}${word("dot")}${say(group.name)}`, measures(page, group))),
    panel("departments", word("departments"), departments(page)),
    panel("shocks", word("shocks"), [shockPanel(page)]),
  );
  for (const part of root.querySelectorAll("details")) {
    part.open = first ? part.dataset.part === "money" : open.has(part.dataset.part);
  }
}

export function refreshLevers() {
  for (const one of controls) one.refresh();
}

function panel(part, title, children) {
  return h("details", { class: "panel", "data-part": part }, h("summary", {}, title), ...children);
}

function make(page, lever, scope, own) {
  const one = control({
    unit: say(lever.unit), low: lever.low, high: lever.high, step: lever.step, ...own,
    get: () => valueOf(page.scenario, lever.id, scope),
    put: (value) => {
      set(page.scenario, lever.id, scope, value, page.timing());
      page.changed();
    },
    reset: () => {
      unset(page.scenario, lever.id, scope);
      page.changed();
    },
  });
  controls.push(one);
  return one.element;
}

function money(page) {
  return page.catalogue.levers.filter((lever) => lever.scope === "zones").map((lever) => {
    const split = lever.spread === "by_firms";
    const whole = make(page, lever, split ? { any_zones: true } : { zones: [] }, {
      name: say(lever.name), plan: lever.plan, plan_text: split ? null : planText(page, lever),
      key: lever.id,
    });
    const title = word(split ? "to_zones" : "by_zone");
    const inner = split ? zoneBoxes(page, lever) : byZone(page, lever);
    return h("div", { class: "lever" }, whole,
      h("details", { "data-part": `zones-${lever.id}` }, h("summary", {}, title), inner));
  });
}

/** The plan's values where zones differ: those that stand out by name, then the others. */
function planText(page, lever) {
  const zones = page.catalogue.zones.slice(1);
  const odd = zones.filter((zone) => lever.plan_by_zone[zone.id] !== lever.plan);
  if (!odd.length) return null;
  const named = odd.map((zone) => `${say(zone.name)} ${text(lever.plan_by_zone[zone.id])}`);
  return `${named.join(", ")}, ${word("others")} ${text(lever.plan)}`;
}

function byZone(page, lever) {
  return page.catalogue.zones.slice(1).map((zone) =>
    make(page, lever, { zones: [zone.id] }, {
      name: say(zone.name), plan: lever.plan_by_zone[zone.id], key: `${lever.id}.${zone.id}`,
    }));
}

function zoneBoxes(page, lever) {
  const find = () => (page.scenario.levers ?? []).findLast((setting) => setting.lever === lever.id);
  const boxes = page.catalogue.zones.slice(1).map((zone) => {
    const box = h("input", {
      type: "checkbox", value: zone.id,
      onchange: () => {
        let setting = find();
        if (!setting) {
          set(page.scenario, lever.id, { any_zones: true }, lever.plan, page.timing());
          setting = find();
        }
        setting.zones = boxes.filter((one) => one.box.checked).map((one) => one.box.value);
        if (!setting.zones.length) delete setting.zones;
        page.changed();
      },
    });
    return { box, element: h("label", { class: "choice" }, box, say(zone.name)) };
  });
  const refresh = () => {
    for (const { box } of boxes) box.checked = (find()?.zones ?? []).includes(box.value);
  };
  refresh();
  controls.push({ refresh });
  return h("div", { class: "choices" }, boxes.map((one) => one.element));
}

function measures(page, group) {
  const lever = page.catalogue.levers.find((one) => one.scope === "measures");
  return page.catalogue.measures.filter((one) => one.group === group.id).map((measure) => {
    const scope = { measures: [measure.id] };
    const slider = make(page, lever, scope, {
      name: `${measure.number} ${say(measure.name)}`, plan: lever.plan, key: `measure.${measure.id}`,
    });
    const on = h("input", {
      type: "checkbox", role: "switch", "aria-label": `${say(measure.name)}: ${word("carried_out")}`,
      onchange: () => {
        if (on.checked) unset(page.scenario, lever.id, scope);
        else set(page.scenario, lever.id, scope, lever.low, page.timing());
        page.changed();
      },
    });
    const refresh = () => {
      on.checked = valueOf(page.scenario, lever.id, scope) !== lever.low;
    };
    refresh();
    controls.push({ refresh });
    slider.querySelector(".line:last-of-type").prepend(
      h("label", { class: "choice" }, on, word("carried_out")));
    return slider;
  });
}

function departments(page) {
  const lever = page.catalogue.levers.find((one) => one.scope === "departments");
  return page.catalogue.departments.map((office) =>
    make(page, lever, { departments: [office.id] }, {
      name: say(office.name), plan: lever.plan, key: `department.${office.id}`,
    }));
}
