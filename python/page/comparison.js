/** The comparison: what changed between an answer that was kept and the one of now. */

import { effect, heading, shownValue } from "./answer.js";
import { h } from "./dom.js";
import { byAmount, SHOWN_ROWS, spaceOf, sumOf } from "./explanation.js";
import { percent, plain, plainChange, signed } from "./numbers.js";
import { say, sayHeading, sayWith, words } from "./words.js";

const SAME_BASE = 1e-9;

/** Return what changed from the `kept` answer to the one of `now`: each has a record and a target. */
export function compare(kept, now, features) {
  const changed = [...features.values()].filter(({ name }) => kept.record.get(name) !== now.record.get(name));
  if (!changed.length) return [h("p", { class: "hint" }, words.comparisonSame), h("p", { class: "hint" }, words.comparisonHint)];
  if (!kept.target || !now.target) return [outcome(kept, now), valueTable(kept, now, changed)];
  const scale = Math.abs(kept.target.base) + 1;
  const isComparable =
    kept.target.space === now.target.space &&
    kept.target.name === now.target.name &&
    Math.abs(kept.target.base - now.target.base) < SAME_BASE * scale;
  if (!isComparable) return [h("p", { class: "hint" }, words.comparisonOther), valueTable(kept, now, changed)];
  return [sayChange(kept.target, now.target), differenceTable(kept, now, changed, features)];
}

function sayChange(before, after) {
  const space = spaceOf(after);
  const [first, last] = [sumOf(before), sumOf(after)];
  const change = say("change", { change: space.change(last - first), unit: space.unit }).trim();
  const values = {
    name: h("em", {}, after.name ?? ""),
    before: withEnd(space, first),
    after: withEnd(space, last),
    change,
  };
  return h("p", { class: "sentence" }, sayWith(after.name === null ? "comparisonNumber" : "comparisonSentence", values));
}

function withEnd(space, value) {
  const end = space.end(value);
  return end || space.total(value);
}

/** Return the sentence where nothing is explained: what was said before, and what is said now. */
function outcome(kept, now) {
  const [before, after] = [kept.value, now.value];
  return h("p", { class: "sentence" }, sayOutcome(now, before, after));
}

function sayOutcome({ kind, name }, before, after) {
  if (kind === "probability") {
    const change = `${signed((after - before) * 100, 1)} ${words.points}`;
    return sayWith("comparisonSentence", { name: h("em", {}, name), before: percent(before), after: percent(after), change });
  }
  if (typeof after === "number") {
    return sayWith("comparisonNumber", { before: plain(before), after: plain(after), change: plainChange(after - before) });
  }
  return sayWith(before === after ? "comparisonSameLabel" : "comparisonLabel", { before: h("em", {}, before), after: h("em", {}, after) });
}

function valueTable(kept, now, changed) {
  const head = h("tr", {}, heading(words.featureHeading), heading(words.keptHeading), heading(words.nowHeading));
  const rows = changed.map((feature) => h("tr", { class: "changed" }, valueCells(kept, now, feature)));
  return h("table", { class: "comparison" }, h("thead", {}, head), h("tbody", {}, rows));
}

function valueCells(kept, now, feature) {
  const [before, after] = [shownValue(kept.record, feature), shownValue(now.record, feature)];
  const isSame = kept.record.get(feature.name) === now.record.get(feature.name);
  return [
    h("th", { scope: "row" }, feature.name),
    h("td", {}, before),
    h("td", {}, isSame ? h("span", { class: "note" }, words.sameValue) : h("strong", {}, after)),
  ];
}

/** Return a row for each feature that was changed, or whose effect was; the largest first. */
function differenceTable(kept, now, changed, features) {
  const space = spaceOf(now.target);
  const names = new Set(changed.map(({ name }) => name));
  const differences = Object.entries(now.target.values).map(([name, value]) => [name, value - kept.target.values[name]]);
  const ranked = differences.filter(([name, value]) => value !== 0 || names.has(name)).sort(byAmount);
  const isShown = ([name], index) => index < SHOWN_ROWS || names.has(name);
  const shown = ranked.filter(isShown);
  const hidden = ranked.filter((entry, index) => !isShown(entry, index));
  const rows = shown.map(([name, value]) =>
    h(
      "tr",
      { class: names.has(name) ? "changed" : null, "data-feature": name, "data-value": value },
      valueCells(kept, now, features.get(name)),
      h("td", { class: "number" }, effect(value, space)),
    ),
  );
  if (hidden.length) rows.push(summaryRow(say("others", { count: hidden.length }), total(hidden), space, "others"));
  const sum = sumOf(now.target) - sumOf(kept.target);
  const unit = words.headings[now.target.space] ?? now.target.space;
  const head = h(
    "tr",
    {},
    heading(words.featureHeading),
    heading(words.keptHeading),
    heading(words.nowHeading),
    heading(sayHeading("differenceHeading", unit), "number"),
  );
  return h("table", { class: "comparison" }, h("thead", {}, head), h("tbody", {}, rows), h("tfoot", {}, summaryRow(words.result, sum, space, "result")));
}

function total(entries) {
  return entries.reduce((sum, [, value]) => sum + value, 0);
}

function summaryRow(title, value, space, kind) {
  return h("tr", { class: kind, "data-value": value }, h("th", { scope: "row", colspan: 3 }, title), h("td", { class: "number" }, effect(value, space)));
}
