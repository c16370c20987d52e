// The page's words in the language that is shown.

let table = {};
export const shown = { language: "zh" };

export async function fetchWords() {
  table = await (await fetch(new URL("words.json", import.meta.url))).json();
}

/** A word of the page; {name} stands for what is filled in. */
export function word(key, values = {}) {
  const text = table[key][shown.language];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** A name from the data. */
export const say = (name) => name[shown.language];

/** The page's own words, wherever an element names one. */
export function label(root = document) {
  for (const element of root.querySelectorAll("[data-word]")) {
    element.textContent = word(element.dataset.word);
  }
}

/** As the project writes probabilities: never 0 or 100 %, since runs prove neither. */
export function percent(p) {
  if (p === null || p === undefined) return "–";
  if (p < 0.01) return "<1 %";
  return p > 0.99 ? ">99 %" : `${whole(100 * p)} %`;
}

/** A half goes to the even number, as in the project's tables and briefings. */
function whole(value) {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** Bounds in percent, rounded outwards. */
export function interval(low, high) {
  const tidy = (x) => Number((100 * x).toFixed(6));
  return `${Math.floor(tidy(low))}–${Math.ceil(tidy(high))}`;
}

/** A difference of probabilities in percentage points, with its sign. */
export function points(difference) {
  const value = Math.round(Math.abs(100 * difference));
  if (value === 0) return "±0";
  return difference > 0 ? `+${value}` : `−${value}`;
}

/** A unit behind its number: "× 100 million", and nothing where the unit is the bounds. */
export function behind(unit) {
  if (/^0\b/.test(unit)) return "";
  return /^\d/.test(unit) ? ` × ${unit}` : ` ${unit}`;
}

export function amount(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = Math.abs(value).toLocaleString("en", { maximumFractionDigits: digits });
  return value < 0 && text !== "0" ? `−${text}` : text;
}

export const signed = (value) => (value > 0 && amount(value) !== "0" ? `+${amount(value)}` : amount(value));
