// Why: the chain of causes behind the cell that is looked at, in sentences and as a picture.

import { h } from "./dom.js";
import { say, shown, word } from "./words.js";

/** The button that has it traced, and below it the chain where it is of this cell. */
export function chainPart(page) {
  const trace = h("button", { type: "button", id: "trace", onclick: page.trace }, word("trace"));
  const parts = [h("div", { class: "row" }, trace, h("span", { class: "note" }, word("trace_note")))];
  const { chain, look } = page;
  if (!chain || chain.zone !== look.zone || chain.target !== look.target) return parts;
  const lines = chain.lines.map((line) => h("li", {}, say(line)));
  parts.push(h("ul", { id: "chain" }, lines));
  if (chain.picture) {
    const src = `data:image/svg+xml;base64,${chain.picture}`;
    parts.push(h("div", { class: "wide" }, h("img", { id: "chain-picture", src, alt: word("chain_alt") })));
    parts.push(h("div", { class: "row" }, ["png", "svg"].map((kind) => h("button", {
      type: "button", class: "small", "data-export": `chain.${kind}`,
      onclick: () => page.tell({ type: "export", what: "chain", kind, language: shown.language }),
    }, `${word("chain_picture")} ${kind.toUpperCase()}`))));
  }
  return parts;
}
