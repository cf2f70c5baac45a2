/** The page: loads the model, puts the parts together, and requests an answer for each change. */

import { describe, explanationTable, importances, meaning, probabilityTable, sentence } from "./answer.js";
import { Background } from "./background.js";
import { makeBatch } from "./batch.js";
import { Calls } from "./calls.js";
import { compare } from "./comparison.js";
import { button, card, fill, h, opening, whenDrawn } from "./dom.js";
import { readAnswer } from "./explanation.js";
import { Form } from "./form.js";
import { envelop, isLink, readLink, toJson, toRecord } from "./records.js";
import { forgetKey, getJson, hasKey, keepKey, OtherModel, postJson, Problem, takeVersion, whenKeyIsNeeded } from "./service.js";
import { WhatIf } from "./whatif.js";
import { say, words } from "./words.js";

const RETRY_SECONDS = 2;
const LATE_MILLISECONDS = 500;
const AUTO = "";

/** What the page shows: the model, its form, and the answers. */
class Page {
  constructor({ metadata: { features }, model, version, about }) {
    this.version = version;
    this.model = { ...model, labels: about.labels };
    this.about = about;
    this.features = new Map(features.map((feature) => [feature.name, feature]));
    this.form = new Form(features, about, () => this.ask(), (field) => this.toggleWhatIf(field));
    this.background = new Background(this.model, features, () => this.ask());
    this.calls = new Calls(about.needs_key);
    this.panels = new Map();
    this.kept = null;
    this.chosenOutput = 0;
    this.chosenTarget = AUTO;
    this.late = null;
    this.makeAnswer();
  }

  makeAnswer() {
    this.says = h("p", { class: "sentence", "aria-live": "polite", "aria-atomic": "true" });
    this.status = h("p", { class: "note", role: "status" });
    this.choices = h("div", { class: "choices" });
    this.tables = h("div", { class: "tables" });
    this.comparison = h("div", { class: "compared", "aria-live": "polite" });
    this.tools = h("div", { class: "tools" });
    this.answer = card(
      "answer",
      words.answer,
      this.says,
      this.status,
      this.choices,
      this.tables,
      this.tools,
      this.comparison,
    );
  }

  show() {
    document.title = this.about.name;
    const linked = readLink();
    this.form.show(linked ?? toRecord(this.about.example));
    if (isLink() && !linked) this.form.remark.textContent = words.linkBroken;
    window.addEventListener("hashchange", () => this.follow());
    const columns = h("div", { class: "columns" }, this.form.element, this.answer);
    document.body.replaceChildren(this.makeHeader(), h("main", {}, columns));
    // What a person sees first is drawn first: a form to type in, its answer, what stands below.
    whenDrawn(() => {
      this.ask();
      setTimeout(() => this.showRest(columns));
    });
  }

  /** Show what stands below the form. */
  showRest(columns) {
    const path = this.model.has_probabilities ? "predict?proba=1" : "predict";
    const looksAt = importances([...this.features.values()]);
    if (looksAt) columns.append(this.makeImportances(looksAt));
    columns.after(h("div", { class: "columns even" }, this.calls.element, makeBatch(path, this.about.max_content_length)));
  }

  /** Show the record of an address that was opened in this tab. */
  follow() {
    const linked = readLink();
    if (linked) this.form.put(linked);
  }

  makeHeader() {
    const predictor = this.model.predictor_type.split("'")[1]?.split(".").at(-1) ?? "";
    const link = (href, text, click) => h("li", {}, h("a", { href, click }, text));
    const openMeaning = () => this.meaning && (this.meaning.open = true);
    const choosePython = () => this.calls.choose("python");
    return h(
      "header",
      {},
      h("p", { class: "kicker" }, this.about.name, this.makeStatus()),
      h("h1", {}, describe(this.model, this.form.features)),
      h("p", { class: "hint" }, predictor, this.version ? ` \u00b7 ${say("version", { version: this.version })}` : ""),
      h(
        "nav",
        { "aria-label": words.links },
        h(
          "ul",
          {},
          link("#record", words.toRecord),
          link("#meaning", words.toAnswer, openMeaning),
          link("#answer", words.toWhy),
          link("#calls", words.toCalls, choosePython),
          link("ready", words.toReady),
          link("docs", words.toDocs),
          // A browser sends no key with a link.
          this.about.needs_key ? null : link("openapi.json", words.toDescription),
          hasKey() ? h("li", {}, button(words.keyForget, forgetAndReload, { class: "link" })) : null,
        ),
      ),
    );
  }

  makeStatus() {
    this.up = h("span", { class: "up" }, words.up);
    return this.up;
  }

  makeImportances(content) {
    return card("importances", words.importances, h("p", { class: "hint" }, words.importancesHint), content);
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
      this.showUp(true);
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
    this.showUp(problem.status !== 0);
    const isPassing = problem.status === 0 || problem.status === 503;
    if (isPassing) setTimeout(() => this.ask(), (problem.retrySeconds || RETRY_SECONDS) * 1000);
  }

  showUp(isUp) {
    this.up.textContent = isUp ? words.up : words.down;
    this.up.classList.toggle("is-down", !isUp);
  }

  /** Show the last answer: of the output and the class that are chosen. */
  render() {
    const output = this.outputs[this.chosenOutput] ?? this.outputs[0];
    const target = this.chooseTarget(output);
    const background = this.answeredBackground;
    const context = { record: this.record, features: this.features, background };
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
    const value = output.probabilities ? output.probabilities[name] : output.label;
    return { record: this.record, outputs: this.outputs, target, name, value };
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
    const value = output.probabilities ? output.probabilities[now.name] : output.label;
    return { record: this.kept.record, target, value };
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
    panel.show(this.record ?? this.form.read());
  }

  /** Return what a curve shows: the probability of the class that is explained, or the number. */
  answering() {
    const index = this.chosenOutput;
    const output = this.outputs?.[index];
    const pick = (prediction) => (Array.isArray(prediction) ? prediction[index] : prediction);
    if (!output?.probabilities) {
      return { path: "predict", title: null, key: index, read: (prediction) => Number(pick(prediction)) };
    }
    const title = this.chooseTarget(output)?.name ?? (this.chosenTarget || output.says);
    const read = (prediction) => pick(prediction)[title];
    return { path: "predict?proba=1", title, key: `${index} ${title}`, read };
  }
}

function forgetAndReload() {
  forgetKey();
  location.reload();
}

let asking = null;

/** Ask for the API key, once for all requests that need it. */
function showKeyDialog(wasWrong) {
  asking ??= new Promise((resolve) => {
    const input = h("input", { type: "password", id: "key", autocomplete: "off", required: true, "aria-describedby": "key-note" });
    const note = h("p", { id: "key-note", class: wasWrong ? "fault" : "note" }, wasWrong ? words.keyWrong : words.keyHint);
    const submit = (event) => {
      event.preventDefault();
      keepKey(input.value);
      dialog.remove();
      asking = null;
      resolve();
    };
    const form = h("form", { submit }, h("h2", { id: "key-title" }, words.key), h("label", { for: "key" }, words.keyLabel), input, note, h("button", { type: "submit" }, words.keyButton));
    const dialog = h("dialog", { class: "card", "aria-labelledby": "key-title", cancel: (event) => event.preventDefault() }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

function showLoading(title, detail) {
  const text = h("main", { class: "waiting" }, h("h1", {}, title), detail ? h("p", {}, detail) : null, detail ? h("p", { class: "note" }, words.retrying) : null);
  document.body.replaceChildren(text);
}

/** Return the model that came with the page. */
function readModel(text) {
  const content = JSON.parse(text);
  takeVersion(content.version);
  return content;
}

function requestModel() {
  takeVersion(null);
  return getJson("page/model");
}

/** Show the page; as long as there is no model, say why, and try again. */
async function start(given) {
  try {
    new Page(given ? readModel(given) : await requestModel()).show();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    showLoading(words.notReady, problem.message);
    setTimeout(start, (problem.retrySeconds || RETRY_SECONDS) * 1000);
  }
}

document.documentElement.lang = words.locale;
whenKeyIsNeeded(showKeyDialog);
const given = document.getElementById("model").textContent;
if (!given) showLoading(words.loading);
start(given);
