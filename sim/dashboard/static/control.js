// One slider with its number, unit, bounds and the plan's value.

import { h } from "./dom.js";
import { behind, word } from "./words.js";

let count = 0;

/**
 * A control as an element with ``refresh()``, which shows the scenario's value.
 *
 * of: name, unit, low, high, step, plan (the value as planned), plan_text, key (for tests),
 * get() (value or null: as planned), put(value), reset().
 */
export function control(of) {
  count += 1;
  const id = `control-${count}`;
  const slider = h("input", {
    type: "range", id, min: of.low, max: of.high, step: of.step, "aria-describedby": `${id}-hint`,
  });
  const number = h("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", class: "number",
    "aria-label": `${of.name} (${of.unit})`, "aria-describedby": `${id}-fault`,
  });
  const mark = h("span", { class: "mark", "aria-hidden": "true" });
  const part = of.high > of.low ? (of.plan - of.low) / (of.high - of.low) : 0;
  mark.style.left = `calc(${part} * (100% - 18px) + 9px)`;
  const fault = h("p", { class: "fault", id: `${id}-fault`, role: "alert", hidden: true });
  const reset = h("button", { type: "button", class: "small", onclick: () => { clear(); of.reset(); } },
    word("reset"));
  const plan = of.plan_text ?? text(of.plan);
  const hint = h("span", { class: "hint", id: `${id}-hint` },
    `${word("plan_value")} ${plan}; ${bounds(of)}`);
  const element = h("div", { class: "control", "data-key": of.key },
    h("label", { for: id }, of.name),
    h("div", { class: "line" }, h("div", { class: "track" }, mark, slider), number),
    h("div", { class: "line" }, hint, reset),
    fault);

  const kept = () => of.get() ?? of.plan;

  function clear() {
    fault.hidden = true;
    number.removeAttribute("aria-invalid");
  }

  function complain(key, values) {
    fault.textContent = word(key, { ...values, kept: text(kept()) });
    fault.hidden = false;
    number.setAttribute("aria-invalid", "true");
  }

  slider.addEventListener("input", () => {
    clear();
    of.put(Number(slider.value));
  });
  number.addEventListener("change", () => {
    const typed = number.value.trim().replace(",", ".").replace("−", "-");
    const value = Number(typed);
    if (typed === "" || !Number.isFinite(value)) complain("not_a_number", { found: number.value });
    else if (value < of.low || value > of.high) {
      complain("outside", { found: number.value, low: text(of.low), high: text(of.high) });
    } else {
      clear();
      of.put(value);
    }
  });

  function refresh() {
    const value = kept();
    slider.value = value;
    slider.setAttribute("aria-valuetext", `${text(value)}${behind(of.unit)}`);
    if (fault.hidden) number.value = text(value);
    const changed = of.get() !== null;
    element.classList.toggle("changed", changed);
    reset.disabled = !changed;
  }

  refresh();
  return { element, refresh };
}

/** What may be set, with the unit; a unit that says the bounds itself stands alone. */
function bounds(of) {
  return /^0\b/.test(of.unit) ? of.unit : `${text(of.low)}–${text(of.high)}${behind(of.unit)}`.trim();
}

/** A number without the tails of binary fractions. */
export const text = (value) => String(Number(Number(value).toPrecision(6))).replace("-", "−");
