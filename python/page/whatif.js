/** What if: a slider on a number, the answer over its training range, and the training data below. */

import { fill, h, newId, svg } from "./dom.js";
import { percent, plain } from "./numbers.js";
import { toJson } from "./records.js";
import { postJson } from "./service.js";
import { say, words } from "./words.js";

const POINTS = 41;
// The slider counts steps, so that both of its ends are those of the range.
const STEPS = 200;
const SHOWN_RUNS = 4;
const BINS = 32;
const WIDTH = 400;
const CURVE_HEIGHT = 120;
// Above and below the curve is room for what its ends mean.
const LABEL_HEIGHT = 17;
const DATA_HEIGHT = 36;

/** The panel below a field. `answering` says what is drawn: its path, kind, and how it is read. */
export class WhatIf {
  constructor(field, answering) {
    this.field = field;
    this.answering = answering;
    [this.low, this.high] = field.range;
    this.isInteger = field.feature.type === "integer";
    this.id = newId();
    this.slider = this.makeSlider();
    this.drawing = h("div", { class: "drawing", "aria-hidden": "true" });
    this.says = h("p", { class: "note", role: "status" });
    this.drawn = "";
    this.element = h("div", { class: "what-if" }, this.drawing, this.slider, h("p", { class: "ends", "aria-hidden": "true" }, h("span", {}, plain(this.low)), h("span", {}, plain(this.high))), this.says);
  }

  makeSlider() {
    const { low, high } = this;
    const label = say("whatIfSlider", { feature: this.field.feature.name, low: plain(low), high: plain(high) });
    this.steps = this.isInteger ? Math.min(STEPS, high - low) : STEPS;
    return h("input", { type: "range", min: 0, max: this.steps, step: 1, "aria-label": label, input: () => this.slid() });
  }

  slid() {
    const value = this.low + (this.slider.value / this.steps) * (this.high - this.low);
    this.field.set(String(this.round(value)));
    this.field.changed();
    this.mark();
  }

  /** Return a number of the range with as many digits as its steps have. */
  round(value) {
    if (value <= this.low) return this.low;
    if (value >= this.high) return this.high;
    if (this.isInteger) return Math.round(value);
    const digits = Math.min(20, Math.max(0, 3 - Math.floor(Math.log10(this.high - this.low))));
    return Math.min(this.high, Math.max(this.low, Number(value.toFixed(digits))));
  }

  /** Draw the curve for a record, unless it is there; move the mark to the value of the record. */
  async show(record) {
    const { name } = this.field.feature;
    const shown = this.answering();
    const { path, read, key } = shown;
    const state = JSON.stringify([key, [...record].filter(([other]) => other !== name)]);
    if (state !== this.drawn) {
      const numbers = this.makeNumbers();
      const records = numbers.map((number) => toJson(new Map(record).set(name, String(number))));
      try {
        this.requested = state;
        const response = await postJson(path, `[${records.join(", ")}]`);
        // Another one may have been requested meanwhile.
        if (this.requested !== state) return;
        const values = read(response);
        this.curve = numbers.map((number, row) => [number, values[row]]);
        this.drawn = state;
        this.says.textContent = `${this.draw(shown)} ${words.whatIfData}`;
      } catch (problem) {
        fill(this.drawing);
        this.says.textContent = problem.message;
      }
    }
    this.mark();
  }

  makeNumbers() {
    const step = (this.high - this.low) / (POINTS - 1);
    const numbers = Array.from({ length: POINTS }, (_, index) => this.low + index * step);
    numbers[POINTS - 1] = this.high;
    return this.isInteger ? [...new Set(numbers.map(Math.round))] : numbers;
  }

  /** Draw what is shown, and return the sentence that says it. */
  draw({ kind, title, classes }) {
    const { name: feature } = this.field.feature;
    if (kind === "label" || kind === "group") {
      const labels = [...new Set(this.curve.map(([, label]) => label))];
      const names = labels.sort((one, other) => (classes ? classes.indexOf(one) - classes.indexOf(other) : one - other));
      const heights = this.curve.map(([number, label]) => [number, names.indexOf(label)]);
      const ends = names.length > 1 ? [0, names.length - 1] : [-1, 1];
      this.drawCurve(stepped(heights), ends, (height) => names[height] ?? "");
      return say("whatIfLabels", { name: words.answer, feature, runs: this.sayRuns() });
    }
    const values = this.curve.map(([, value]) => value);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const isProbability = kind === "probability";
    const write = isProbability ? percent : plain;
    const ends = isProbability ? [0, 1] : widen(least, most);
    this.drawCurve(this.curve, ends, (value) => (isProbability ? `${value * 100} %` : plain(value)));
    const name = isProbability ? say("probabilityOf", { name: title }) : words.answer;
    return say("whatIfCurve", { name, feature, least: write(least), most: write(most) });
  }

  /** Return which label the model gives from where to where: "low from 1 to 3, high from 4 to 9". */
  sayRuns() {
    const runs = [];
    for (const [number, label] of this.curve) {
      if (runs.at(-1)?.label === label) runs.at(-1).to = number;
      else runs.push({ label, from: number, to: number });
    }
    const write = (number) => plain(this.round(number));
    const said = runs.slice(0, SHOWN_RUNS).map(({ label, from, to }) => say("whatIfRun", { label, from: write(from), to: write(to) }));
    if (runs.length > SHOWN_RUNS) said.push(say("whatIfMoreRuns", { count: runs.length - SHOWN_RUNS }));
    return said.join(", ");
  }

  drawCurve(curve, [bottom, top], write) {
    const room = CURVE_HEIGHT - 2 * LABEL_HEIGHT;
    const y = (value) => (LABEL_HEIGHT + ((top - value) / (top - bottom)) * room).toFixed(1);
    const points = curve.map(([number, value]) => `${this.x(number).toFixed(1)},${y(value)}`);
    const grid = [top, bottom].map((value) => svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(value), y2: y(value) }));
    this.line = svg("line", { class: "mark", y1: 0, y2: CURVE_HEIGHT + DATA_HEIGHT + 8 });
    const size = `0 0 ${WIDTH} ${CURVE_HEIGHT + DATA_HEIGHT + 8}`;
    const picture = svg(
      "svg",
      { viewBox: size, preserveAspectRatio: "none" },
      svg("rect", { class: "plot", width: WIDTH, height: CURVE_HEIGHT }),
      grid,
      this.drawData(),
      svg("polyline", { class: "curve", points: points.join(" ") }),
      this.line,
    );
    const label = (kind, value) => h("span", { class: kind }, write(value));
    fill(this.drawing, label("top", top), picture, label("bottom", bottom));
  }

  x(number) {
    return ((number - this.low) / (this.high - this.low)) * WIDTH;
  }

  /** Return a histogram of the training data: between two quantiles are as many rows as between others. */
  drawData() {
    const counts = binQuantiles(this.field.profile.quantiles ?? [], this.low, this.high);
    const largest = Math.max(...counts);
    const width = WIDTH / BINS;
    const base = CURVE_HEIGHT + 8 + DATA_HEIGHT;
    return counts.map((count, index) => {
      const height = largest ? (count / largest) * DATA_HEIGHT : 0;
      return svg("rect", { class: "data", x: index * width + 0.5, y: base - height, width: width - 1, height });
    });
  }

  /** Show where the record is. */
  mark() {
    const number = Number(this.field.get());
    const isThere = this.field.get() !== "null" && !Number.isNaN(number);
    if (isThere) this.slider.value = ((number - this.low) / (this.high - this.low)) * this.steps;
    this.slider.setAttribute("aria-valuetext", isThere ? plain(number) : words.unknown);
    if (!this.line) return;
    const x = isThere ? this.x(Math.min(this.high, Math.max(this.low, number))) : -9;
    this.line.setAttribute("x1", x);
    this.line.setAttribute("x2", x);
  }
}

/** Return the points of a curve that jumps from one height to another halfway between two numbers. */
function stepped(points) {
  return points.flatMap(([number, height], index) => {
    const [before, heightBefore] = points[index - 1] ?? [number, height];
    if (height === heightBefore) return [[number, height]];
    const halfway = (before + number) / 2;
    return [[halfway, heightBefore], [halfway, height], [number, height]];
  });
}

function widen(least, most) {
  const margin = (most - least) * 0.08 || Math.abs(most) * 0.1 || 1;
  return [least - margin, most + margin];
}

/** Return how much of the training data is in each of the bins. */
function binQuantiles(quantiles, low, high) {
  const counts = new Array(BINS).fill(0);
  const width = (high - low) / BINS;
  for (let index = 1; index < quantiles.length; index += 1) {
    const [start, end] = [quantiles[index - 1], quantiles[index]];
    for (let bin = 0; bin < BINS; bin += 1) {
      counts[bin] += share(start, end, low + bin * width, low + (bin + 1) * width, bin === BINS - 1);
    }
  }
  return counts;
}

/** Return which share of what lies between two quantiles is in a bin. */
function share(start, end, binLow, binHigh, isLast) {
  if (start === end) {
    const isIn = start >= binLow && (start < binHigh || isLast);
    return isIn ? 1 : 0;
  }
  const overlap = Math.min(end, binHigh) - Math.max(start, binLow);
  return Math.max(0, overlap) / (end - start);
}
