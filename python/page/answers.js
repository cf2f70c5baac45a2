/** The answers: requested for each change, and shown, explained and compared. */

import { explanationTable, importances, meaning, probabilityTable, sentence } from "./answer.js";
import { Background } from "./background.js";
import { makeBatch } from "./batch.js";
import { Calls } from "./calls.js";
import { compare } from "./comparison.js";
import { button, card, fill, h, opening } from "./dom.js";
import { nameOf, readAnswer } from "./explanation.js";
import { envelop, toJson } from "./records.js";
import { getJson, OtherModel, postJson, Problem, RETRY_SECONDS } from "./service.js";
import { WhatIf } from "./whatif.js";
import { say, words } from "./words.js";

const LATE_MILLISECONDS = 500;
const AUTO = "";

/** The answers to the records of a form, and what stands below them. */
export class Answers {
  constructor(view) {
    const { model, about, form } = view;
    this.view = view;
    this.model = model;
    this.about = about;
    this.features = form.byName;
    this.form = form;
    this.background = new Background(model, form.features, () => this.ask());
    this.calls = new Calls(about.needs_key);
    this.panels = new Map();
    this.kept = null;
    this.chosenOutput = 0;
    this.chosenTarget = AUTO;
    this.late = null;
    this.opened = { others: false };
    this.says = h("p", { class: "sentence", "aria-live": "polite", "aria-atomic": "true" });
    this.status = h("p", { class: "note", role: "status" });
    this.choices = h("div", { class: "choices" });
    this.tables = h("div", { class: "tables" });
    this.comparison = h("div", { class: "compared", "aria-live": "polite" });
    this.tools = h("div", { class: "tools" });
    this.answer = view.answer;
    this.answer.append(this.says, this.status, this.choices, this.tables, this.tools, this.comparison);
  }

  /** Answer the record of the form, from now on each time that it changes. */
  begin() {
    this.ask();
    this.view.takeAnswers(this);
    setTimeout(() => this.showRest());
  }

  /** Show what stands below the form. */
  showRest() {
    const { columns } = this.view;
    const path = this.model.has_probabilities ? "predict?proba=1" : "predict";
    const looksAt = importances([...this.features.values()]);
    if (looksAt) columns.append(card("importances", words.importances, h("p", { class: "hint" }, words.importancesHint), looksAt));
    columns.after(h("div", { class: "columns even" }, this.calls.element, makeBatch(path, this.about.max_content_length)));
    // What the address names was not there when the browser looked for it.
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }

  openMeaning() {
    if (this.meaning) this.meaning.open = true;
  }

  choosePython() {
    this.calls.choose("python");
  }

  /** Request the answer for the record of the form; one that is still on its way is given up. */
  async ask() {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    const record = this.form.read();
    if (!this.outputs) this.status.textContent = words.thinking;
    // What is shown meanwhile is the answer to another record. Most come too soon to say so.
    this.late ??= setTimeout(() => this.showOld(words.thinkingAgain), LATE_MILLISECONDS);
    this.calls.show(record, this.canExplain ? this.background.records : null, this.path(this.canExplain));
    try {
      const answer = await this.predict(record, request.signal);
      this.stopWaiting();
      this.form.showProblem(null);
      this.view.showUp(true);
      this.record = record;
      this.outputs = answer.outputs;
      this.remark = answer.remark;
      this.answeredBackground = this.background.words;
      this.render();
    } catch (problem) {
      if (problem.name !== "AbortError") this.showProblem(problem);
    }
  }

  stopWaiting() {
    clearTimeout(this.late);
    this.late = null;
    this.old = "";
  }

  /** Say that the answer in view, if there is one, is not that of the record in the form. */
  showOld(sentence) {
    if (!this.outputs) return;
    this.old = sentence;
    this.showState();
  }

  showState() {
    const remark = this.remark ? `${words.noExplanation}: ${this.remark}` : "";
    this.answer.classList.toggle("stale", this.old !== "");
    this.status.textContent = this.old || remark;
    this.form.pinned.textContent = this.old || this.says.firstChild.textContent;
  }

  get canExplain() {
    return Boolean(this.model.is_explainable) && this.background.isThere;
  }

  path(explain) {
    const flags = [];
    if (this.model.has_probabilities) flags.push("proba=1");
    if (explain) flags.push("explain=1");
    return flags.length ? `predict?${flags.join("&")}` : "predict";
  }

  /** Return the outputs, explained if that is possible, and a remark if it is not. */
  async predict(record, signal) {
    const body = toJson(record);
    // With probabilities, labels do not come: they may be others than those of the largest one.
    const labels = this.model.has_probabilities ? postJson("predict", body, signal) : null;
    labels?.catch(() => null);
    const { response, remark } = await this.explain(body, signal);
    const { prediction } = labels ? await labels : response;
    return { outputs: readAnswer(this.model, response, prediction), remark };
  }

  async explain(body, signal) {
    const remark = this.canExplain ? "" : await this.findRemark();
    if (!this.canExplain) return { response: await postJson(this.path(false), body, signal), remark };
    const { records } = this.background;
    try {
      return { response: await postJson(this.path(true), records ? envelop(body, records) : body, signal), remark };
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status === 0 || problem instanceof OtherModel) throw problem;
      const isOfRecord = problem.faults.some(({ pointer }) => !pointer.startsWith("#/_samples"));
      if (isOfRecord) throw problem;
      const reason = this.background.showProblem(problem);
      return { response: await postJson(this.path(false), body, signal), remark: reason };
    }
  }

  /** Return why nothing is explained; look again later whether that is so. */
  async findRemark() {
    if (this.model.is_explainable === null) {
      setTimeout(() => this.lookAgain(), RETRY_SECONDS * 1000);
      return words.preparing;
    }
    if (this.model.is_explainable) return words.needsSamples;
    return this.model.reason ?? "";
  }

  async lookAgain() {
    try {
      const info = await getJson("info");
      Object.assign(this.model, info.model);
      this.background.update();
    } finally {
      this.ask();
    }
  }

  showProblem(problem) {
    this.form.showProblem(problem);
    this.stopWaiting();
    this.status.textContent = "";
    this.showOld(words.stale);
    this.view.showUp(problem.status !== 0);
    const isPassing = problem.status === 0 || problem.status === 503;
    if (isPassing) setTimeout(() => this.ask(), problem.retrySeconds * 1000);
  }

  /** Show the last answer: of the output and the class that are chosen. */
  render() {
    const output = this.outputs[this.chosenOutput] ?? this.outputs[0];
    const target = this.chooseTarget(output);
    const background = this.answeredBackground;
    const context = { record: this.record, features: this.features, background, opened: this.opened };
    fill(this.says, sentence(output, target, context));
    this.showState();
    this.renderChoices(output);
    fill(
      this.tables,
      output.probabilities && output.classes.length > 2 ? probabilityTable(output) : null,
      target ? explanationTable(target, context) : null,
      this.makeMeaning(output, target, background),
    );
    if (this.background.element.parentNode !== this.answer) this.answer.insertBefore(this.background.element, this.tools);
    this.renderComparison(output, target);
    for (const panel of this.panels.values()) panel.show(this.record);
  }

  makeMeaning(output, target, background) {
    const isOpen = this.meaning ? this.meaning.open : location.hash === "#meaning";
    const content = meaning(output, target, background);
    this.meaning = opening(words.meaning, { class: "meaning", id: "meaning", open: isOpen }, content);
    return this.meaning;
  }

  chooseTarget(output) {
    const { targets } = output;
    const isNamed = (name) => targets.find((target) => target.name === name);
    return isNamed(this.chosenTarget) ?? isNamed(output.says) ?? targets.at(-1) ?? null;
  }

  renderChoices(output) {
    if (this.choices.contains(document.activeElement)) return;
    const outputs = this.outputs.map(({ title }, index) => [String(index), title]);
    const classes = output.targets.map(({ name }) => [name, say("targetClass", { name })]);
    const changeOutput = (value) => {
      this.chosenOutput = Number(value);
      this.chosenTarget = AUTO;
    };
    const changeTarget = (value) => {
      this.chosenTarget = value;
    };
    fill(
      this.choices,
      outputs.length > 1 ? this.makeChoice(words.whichOutput, outputs, String(this.chosenOutput), changeOutput) : null,
      classes.length > 1 ? this.makeChoice(words.target, [[AUTO, words.targetAuto], ...classes], this.chosenTarget, changeTarget) : null,
    );
  }

  makeChoice(title, entries, chosen, change) {
    const options = entries.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
    const select = h("select", {
      change: () => {
        change(select.value);
        this.render();
      },
    }, options);
    return h("label", {}, title, " ", select);
  }

  /** What is compared: the record, with what is explained or else the number that was predicted. */
  snapshot(output, target) {
    const name = target?.name ?? (output.probabilities ? (this.chosenTarget || output.says) : null);
    return { record: this.record, outputs: this.outputs, target, name, kind: output.kind, value: comparedValue(output, name) };
  }

  renderComparison(output, target) {
    const now = this.snapshot(output, target);
    const keep = () => {
      this.kept = { record: this.record, outputs: this.outputs };
      this.background.keep(this.record);
      this.render();
    };
    const drop = () => {
      this.kept = null;
      this.background.keep(null);
      this.render();
    };
    if (!this.kept) {
      this.setTools([[words.keep, keep]]);
      fill(this.comparison);
      return;
    }
    const back = () => this.form.put(this.kept.record);
    this.setTools([[words.keepAgain, keep], [words.back, back], [words.drop, drop]]);
    fill(this.comparison, h("h3", {}, words.comparison), compare(this.keptFor(now), now, this.features));
  }

  /** Return the kept answer for the same class as the one of now. */
  keptFor(now) {
    const output = this.kept.outputs[this.chosenOutput] ?? this.kept.outputs[0];
    const target = output.targets.find(({ name }) => name === now.target?.name) ?? null;
    return { record: this.kept.record, target, value: comparedValue(output, now.name) };
  }

  /** Replace the buttons only where they are others: the focus stays on the one that has it. */
  setTools(entries) {
    const titles = entries.map(([title]) => title).join();
    this.clicks = new Map(entries);
    if (this.toolTitles === titles) return;
    this.toolTitles = titles;
    const hadFocus = this.tools.contains(document.activeElement);
    fill(this.tools, entries.map(([title]) => button(title, () => this.clicks.get(title)())));
    if (hadFocus) this.tools.firstChild.focus();
  }

  /** Open what a change of that feature would do, or close it. */
  toggleWhatIf(field) {
    const { name } = field.feature;
    const isOpen = this.panels.has(name);
    field.whatIf.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) {
      this.panels.delete(name);
      fill(field.extra);
      return;
    }
    const panel = new WhatIf(field, () => this.answering());
    this.panels.set(name, panel);
    fill(field.extra, panel.element);
    if (this.outputs) panel.show(this.record);
  }

  /** Return what a curve shows: the probability of the class that is explained, a number or labels. */
  answering() {
    const index = this.chosenOutput;
    const output = this.outputs[index];
    const pick = (prediction) => (Array.isArray(prediction) ? prediction[index] : prediction);
    const ofPrediction = (read) => (response) => response.prediction.map((prediction) => read(pick(prediction)));
    const { kind, classes } = output;
    if (kind === "score") return { path: "predict", kind, key: index, read: ({ score }) => score };
    if (kind === "number") return { path: "predict", kind, key: index, read: ofPrediction(Number) };
    if (kind !== "probability") {
      const labels = output.title ? [] : this.model.labels;
      return { path: "predict", kind, key: index, classes, read: ofPrediction((label) => nameOf(label, classes, labels) ?? String(label)) };
    }
    const title = this.chooseTarget(output)?.name ?? (this.chosenTarget || output.says);
    return { path: "predict?proba=1", kind, title, key: `${index} ${title}`, read: ofPrediction((prediction) => prediction[title]) };
  }
}

/** Return what is compared of an output: the probability of a class, a number, or what is said. */
function comparedValue(output, name) {
  if (output.kind === "probability") return output.probabilities[name];
  if (output.kind === "score") return output.score;
  return output.kind === "number" ? output.label : (output.says ?? String(output.label));
}
