/** The answer: a sentence, the probabilities, and the table that is also the waterfall. */

import { button, h } from "./dom.js";
import { byAmount, domainOf, spaceOf, sumOf, waterfall } from "./explanation.js";
import { showText, standIn } from "./fields.js";
import { arithmetic, digitsFor, fixed, isZero, percent, plain } from "./numbers.js";
import { say, sayHeading, sayWith, words } from "./words.js";

const SHOWN_BARS = 8;
const UP = "\u25b2";
const DOWN = "\u25bc";

/** Return the value of a feature in a record as a person would say it. */
export function shownValue(record, feature) {
  const text = showText(record.get(feature.name));
  if (text !== null) return text;
  const value = standIn(feature);
  return value === null ? words.unknown : say("unknownStandsIn", { value });
}

/** Return the name of a feature with its value, "income = 3". */
function nameWithValue(record, feature) {
  const value = showText(record.get(feature.name));
  if (value === null) return say("isUnknown", { feature: feature.name });
  return say("is", { feature: feature.name, value });
}

/** Return the sentence of an output: what the model says, and what moved it most. */
export function sentence(output, target, context) {
  const title = output.title ? say("ofOutput", { output: output.title }) : "";
  return [h("strong", {}, title, says(output)), target ? [" ", why(target, context)] : null];
}

function says(output) {
  const label = output.says ?? (typeof output.label === "number" ? plain(output.label) : output.label);
  if (output.score !== null) return sayWith("saysScore", { label, score: plain(output.score) });
  if (!output.classes) return sayWith("saysNumber", { label });
  if (!output.probabilities) return sayWith("saysLabel", { label });
  const [likeliest, probability] = Object.entries(output.probabilities).sort(byAmount)[0];
  const own = output.probabilities[label];
  if (own !== undefined && own < probability) {
    return sayWith("saysAnyway", { label, other: likeliest, probability: percent(probability) });
  }
  return sayWith("saysClass", { label, probability: percent(own ?? probability) });
}

function why(target, { record, features, background }) {
  const space = spaceOf(target);
  const end = space.end(target.base);
  const base = space.total(target.base);
  const values = { name: h("em", {}, target.name ?? ""), base, end, background };
  const text = sayWith(startKey(target, end), values);
  return [text, " ", most(target, space, record, features)];
}

function startKey(target, end) {
  if (target.name !== null && words.starts[target.space]) return `starts.${target.space}`;
  return end ? "starts.converted" : "starts.number";
}

/** Return which feature raised the answer most, and which lowered it most. */
function most(target, space, record, features) {
  const ranked = Object.entries(target.values).sort(([, one], [, other]) => other - one);
  const [up, down] = [ranked[0], ranked.at(-1)];
  const name = (feature) => nameWithValue(record, features.get(feature));
  const change = (value) => say("change", { change: space.change(value), unit: space.unit }).trim();
  // What is shown as 0 is what rounding left.
  const isRaised = up?.[1] > 0 && !isZero(change(up[1]));
  const isLowered = down?.[1] < 0 && !isZero(change(down[1]));
  const moved = (key, [feature, value]) => sayWith(key, { feature: h("b", {}, name(feature)), change: change(value) });
  return [
    isRaised ? moved("raisedMost", up) : words.raisedNothing,
    " ",
    isLowered ? moved(isRaised ? "loweredMost" : "loweredAlone", down) : words.loweredNothing,
  ];
}

/** Return a table of the probabilities; the largest first where there are many classes. */
export function probabilityTable(output) {
  const entries = Object.entries(output.probabilities);
  if (entries.length > SHOWN_BARS) entries.sort(byAmount);
  return barTable(entries, {
    caption: words.probabilities,
    headings: [words.classHeading, words.probabilityHeading],
    isSaid: (name) => name === output.says,
    write: percent,
    largest: 1,
    more: (count) => say("moreClasses", { count }),
  });
}

/** Return a table of names with numbers and their bars; a button shows those behind the first ones. */
function barTable(entries, { caption, headings, isSaid = () => false, write, largest, more }) {
  const row = ([name, value]) =>
    h(
      "tr",
      { class: isSaid(name) ? "said" : null },
      h("th", { scope: "row" }, name),
      h("td", { class: "number" }, write(value)),
      h("td", { class: "bar-cell", "aria-hidden": "true" }, bar(0, value, [0, largest], "neutral")),
    );
  const hidden = entries.slice(SHOWN_BARS);
  const body = h("tbody", {}, entries.slice(0, SHOWN_BARS).map(row));
  const showMore = hidden.length ? button(more(hidden.length), () => {
    body.append(...hidden.map(row));
    showMore.remove();
  }, { class: "quiet" }) : null;
  const head = h("tr", {}, heading(headings[0]), heading(headings[1], "number"), h("td", { "aria-hidden": "true" }));
  const table = h("table", { class: "probabilities" }, caption ? h("caption", {}, caption) : null, h("thead", {}, head), body);
  return [table, showMore];
}

export function heading(text, kind = null) {
  return h("th", { scope: "col", class: kind }, text);
}

/** Return a bar from one number to another, on an axis. It is decoration: the table has the numbers. */
export function bar(start, end, [low, high], kind) {
  const at = (number) => ((number - low) / (high - low)) * 100;
  const left = Math.min(at(start), at(end));
  const width = Math.abs(at(end) - at(start));
  return h("span", { class: `bar ${kind}`, style: { left: `${left}%`, width: `${Math.max(width, 0.6)}%` } });
}

/** Return the table of an explanation, which is its picture as well, and its arithmetic. */
export function explanationTable(target, context) {
  const space = spaceOf(target);
  const fall = waterfall(target);
  const rows = [...fall.shown, ...fall.hidden];
  const view = { target, space, fall, context, domain: domainOf(rows, target.base), hasErrors: Boolean(target.errors) };
  const unit = words.headings[target.space] ?? target.space;
  const head = h(
    "tr",
    {},
    heading(words.featureHeading),
    heading(sayHeading("effectHeading", unit), "number"),
    view.hasErrors ? heading(words.errorHeading, "number") : null,
    h("td", { "aria-hidden": "true" }),
  );
  const title = target.name === null ? words.waterfall : say("waterfallOf", { name: target.name });
  const table = h(
    "table",
    { class: "waterfall" },
    h("caption", {}, title),
    h("thead", {}, head),
    h("tbody", {}, endRow(view, words.start, target.base, "start"), fall.shown.map((row) => featureRow(view, row)), otherRows(view)),
    h("tfoot", {}, endRow(view, target.name === null ? words.result : say("resultOf", { name: target.name }), sumOf(target), "result")),
  );
  return [table, sums(target, fall, space)];
}

/** Return the row of the start or of the answer: no effect, but what the effects begin or end with. */
function endRow(view, title, value, kind) {
  const end = view.space.end(value);
  const note = end ? h("span", { class: "value" }, end) : null;
  const mark = h("span", { class: `mark ${kind}`, style: { left: `${position(view, value)}%` } });
  return h(
    "tr",
    { class: kind, "data-value": value },
    h("th", { scope: "row" }, title, " ", note),
    h("td", { class: "number" }, view.space.total(value)),
    view.hasErrors ? h("td") : null,
    h("td", { class: "bar-cell", "aria-hidden": "true" }, mark),
  );
}

function position(view, number) {
  const [low, high] = view.domain;
  return ((number - low) / (high - low)) * 100;
}

function featureRow(view, row) {
  const { record, features } = view.context;
  const value = shownValue(record, features.get(row.feature));
  const th = h("th", { scope: "row" }, h("span", { class: "name" }, row.feature), " ", h("span", { class: "value" }, value));
  return effectRow(view, row, th, { "data-feature": row.feature });
}

function effectRow(view, row, th, attributes) {
  return h(
    "tr",
    { ...attributes, "data-value": row.value },
    th,
    h("td", { class: "number" }, effect(row.value, view.space)),
    view.hasErrors ? h("td", { class: "number error" }, errorText(view, row)) : null,
    h("td", { class: "bar-cell", "aria-hidden": "true" }, bar(row.start, row.end, view.domain, kindOf(row.value))),
  );
}

/** Return a signed number with an arrow: neither needs its colour to be understood. */
export function effect(value, space) {
  const text = space.change(value);
  const kind = isZero(text) ? "none" : kindOf(value);
  const arrow = { up: UP, down: DOWN, none: "" }[kind];
  const spoken = { up: words.raised, down: words.lowered, none: words.unchanged }[kind];
  return h("span", { class: kind }, h("span", { "aria-hidden": "true" }, arrow), h("span", { class: "spoken" }, spoken), " ", text);
}

export function kindOf(value) {
  if (value === 0) return "none";
  return value > 0 ? "up" : "down";
}

/** Return twice the standard error: the value is within it with 95 %. */
function errorText(view, row) {
  if (row.error === undefined) return "";
  return view.space.change(row.error * 2).replace("+", "\u00b1");
}

/** Return the row of all other features, which opens into a row for each; they are made then. */
function otherRows(view) {
  const { others, hidden } = view.fall;
  if (!others) return [];
  const { opened } = view.context;
  let rows = [];
  const show = () => {
    toggle.setAttribute("aria-expanded", String(opened.others));
    toggle.textContent = opened.others ? words.hideOthers : words.showOthers;
    if (opened.others && !rows.length) rows = hidden.map((row) => featureRow(view, row));
    for (const row of rows) row.hidden = !opened.others;
    summary.classList.toggle("open", opened.others);
  };
  const toggle = button("", () => {
    opened.others = !opened.others;
    show();
    summary.after(...rows);
  }, { class: "quiet" });
  const th = h("th", { scope: "row" }, say("others", { count: hidden.length }), " ", toggle);
  const summary = effectRow(view, others, th, { class: "others" });
  show();
  return [summary, ...rows];
}

function sums(target, fall, space) {
  const { power, suffix } = space;
  const terms = fall.shown.map((row) => row.value);
  if (fall.others) terms.push(fall.others.value);
  const scaled = [target.base, ...terms].map((term) => term / power);
  const sum = arithmetic(scaled, sumOf(target) / power, space.size / power);
  const text = suffix ? `(${sum})${suffix}` : sum;
  const end = space.end(sumOf(target));
  return h(
    "div",
    { class: "sum" },
    h("h3", {}, words.arithmetic),
    h("p", { class: "arithmetic" }, text, " ", end ? h("span", { class: "value" }, `(${end})`) : null),
    h("p", { class: "note" }, words.arithmeticNote, target.errors ? ` ${words.sampled}` : ""),
  );
}

/** Return what the numbers mean, of an output that is explained or not. */
export function meaning(output, target, background) {
  if (!target) return h("p", {}, words.meaningAlone[output.kind]);
  return [
    output.score === null ? null : h("p", {}, words.meaningAlone.score),
    h("p", {}, words.meanings[target.space] ?? ""),
    h("p", {}, say("meaningCompared", { background })),
    h("p", {}, words.meaningModel),
  ];
}

/** Return the importances of the model, the largest first. */
export function importances(features) {
  const ranked = features.filter(({ importance }) => importance > 0).map(({ name, importance }) => [name, importance]).sort(byAmount);
  if (!ranked.length) return null;
  const largest = ranked[0][1];
  const digits = ranked.every(([, value]) => Number.isInteger(value)) ? 0 : digitsFor(largest) - 1;
  return barTable(ranked, {
    headings: [words.featureHeading, words.importanceHeading],
    write: (value) => fixed(value, Math.max(0, digits)),
    largest,
    more: (count) => say("moreImportances", { count }),
  });
}
