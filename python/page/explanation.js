/** Explanations: from a response of /predict to rows of a waterfall. Nothing here draws. */

import { digitsFor, fixed, isZero, percent, powerFor, sigmoid, signed } from "./numbers.js";
import { words, say } from "./words.js";

export const SHOWN_ROWS = 8;
const MIRRORED = ["probability", "log_odds"];

/**
 * Return what a response says of one record: its outputs, each with a label, probabilities and
 * what can be explained of it.
 */
export function readAnswer(model, response, labels) {
  const [prediction] = response.prediction;
  const [label] = labels ?? response.prediction;
  const isNested = Array.isArray(model.class_names?.[0]);
  const several = Array.isArray(label);
  const count = several ? label.length : 1;
  const outputs = [];
  for (let index = 0; index < count; index += 1) {
    const at = (value) => (several ? value?.[index] : value);
    const classes = isNested ? model.class_names[index] : model.class_names;
    const probabilities = model.has_probabilities ? at(prediction) : null;
    const output = {
      title: several ? say("output", { number: index + 1 }) : "",
      classes: classes ?? null,
      label: at(label),
      says: nameOf(at(label), classes, several ? [] : model.labels),
      probabilities,
      score: response.score?.[0] ?? null,
    };
    output.kind = outputKind(output, model);
    output.targets = findTargets(output, {
      space: response.explained_output,
      base: several ? response.base_value?.[index] : response.base_value,
      values: several ? response.explanation?.[index] : response.explanation,
      errors: several ? response.standard_error?.[index] : response.standard_error,
    });
    outputs.push(output);
  }
  return outputs;
}

/** Return what an output is, by which it is said, drawn and compared. */
function outputKind(output, model) {
  if (output.score !== null) return "score";
  if (output.probabilities) return "probability";
  if (output.classes || typeof output.label !== "number") return "label";
  return model.task === "CLUSTERER" ? "group" : "number";
}

/** Return the name of the class whose label was predicted; the label itself where it has none. */
export function nameOf(label, classes, labels) {
  if (!classes) return null;
  const position = (labels ?? []).findIndex((known) => known === label);
  return position < 0 ? String(label) : classes[position];
}

/** Return what is explained of an output: a number, or each class. */
function findTargets(output, explained) {
  if (!explained.values) return [];
  if (typeof explained.base === "object") {
    return Object.keys(explained.base).map((name) => ({
      name,
      space: explained.space,
      base: explained.base[name],
      values: explained.values[name],
      errors: explained.errors?.[name],
    }));
  }
  const [first, second] = output.classes ?? [];
  const target = { name: second ?? null, ...explained };
  if (output.classes?.length === 2 && MIRRORED.includes(explained.space)) {
    return [mirror(target, first), target];
  }
  return [target];
}

/** Return the explanation of the other one of two classes: every sign is turned around. */
function mirror(target, name) {
  const base = target.space === "probability" ? 1 - target.base : -target.base;
  const values = {};
  for (const [feature, value] of Object.entries(target.values)) values[feature] = -value;
  return { ...target, name, base, values };
}

/** Return the output of the model that a target adds up to. */
export function sumOf(target) {
  return Object.values(target.values).reduce((sum, value) => sum + value, target.base);
}

/** Return how numbers of an explanation are written: in points, log-odds, or as they are. */
export function spaceOf(target) {
  const values = Object.values(target.values);
  const size = Math.max(Math.abs(target.base), Math.abs(sumOf(target)), ...values.map(Math.abs));
  if (target.space === "probability") {
    return {
      size: 1,
      power: 1,
      suffix: "",
      unit: words.points,
      total: percent,
      change: (value) => signed(value * 100, 1),
      end: () => "",
    };
  }
  const { power, suffix } = powerFor(size);
  const digits = target.space === "log_odds" ? 2 : digitsFor(size / power);
  const raise = (text) => (isZero(text) ? text : text + suffix);
  return {
    size,
    power,
    suffix,
    unit: words.units[target.space] ?? "",
    total: (value) => raise(fixed(value / power, digits)),
    change: (value) => raise(signed(value / power, digits)),
    end: (value) => endOf(target, value),
  };
}

/** Return what the start or the end of the sum is as a probability or a number, if it is another. */
function endOf(target, value) {
  if (target.space === "log_odds") return percent(sigmoid(value));
  if (target.space === "log_prediction") {
    const number = Math.exp(value);
    return fixed(number, digitsFor(number));
  }
  return "";
}

/**
 * Return the rows of a waterfall: each feature with where it starts and ends, the largest first.
 *
 * `others` is the sum of those that are not among the first eight; they are in `hidden`.
 */
export function waterfall(target) {
  const ranked = Object.entries(target.values).sort(byAmount);
  // One more row takes no more room than a row for one other feature.
  const count = ranked.length === SHOWN_ROWS + 1 ? ranked.length : SHOWN_ROWS;
  let at = target.base;
  const rows = ranked.map(([feature, value]) => {
    const row = { feature, value, start: at, end: at + value, error: target.errors?.[feature] };
    at += value;
    return row;
  });
  const hidden = rows.slice(count);
  return {
    shown: rows.slice(0, count),
    hidden,
    others: hidden.length ? { start: hidden[0].start, end: at, value: at - hidden[0].start } : null,
    sum: at,
  };
}

export function byAmount([, one], [, other]) {
  return Math.abs(other) - Math.abs(one);
}

/** Return the part of an axis that all bars of a waterfall need, a little wider. */
export function domainOf(rows, base) {
  const ends = rows.flatMap((row) => [row.start, row.end]);
  const low = Math.min(base, ...ends);
  const high = Math.max(base, ...ends);
  const margin = (high - low || 1) * 0.04;
  return [low - margin, high + margin];
}
