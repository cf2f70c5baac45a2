/** The background: what a record is compared with to explain its answer. */

import { button, fill, h, newId, opening } from "./dom.js";
import { parseRecords } from "./records.js";
import { readPointer } from "./service.js";
import { say, words } from "./words.js";

/** The choice of a background: the model's own, the record that was kept, or rows of one's own. */
export class Background {
  constructor(model, features, change) {
    this.model = model;
    this.features = features;
    this.change = change;
    this.choice = "own";
    this.kept = null;
    this.rows = null;
    const id = newId();
    this.select = h("select", { id, change: () => this.choose(this.select.value) });
    this.says = h("p", { class: "note", role: "status" });
    this.editor = this.makeEditor();
    this.element = opening(
      words.background,
      { class: "background" },
      h("label", { for: id, class: "off-screen" }, words.background),
      this.select,
      this.editor,
      this.says,
      h("p", { class: "note" }, words.backgroundHint),
    );
    this.update();
  }

  makeEditor() {
    const id = newId();
    this.area = h("textarea", { id, rows: 4, spellcheck: "false" });
    const use = button(words.backgroundUse, () => this.use());
    return h("div", { hidden: true }, h("label", { for: id }, words.backgroundRowsLabel), this.area, use);
  }

  /** Offer what there is; the model may have said more since, or a record may be kept. */
  update() {
    const choices = [];
    if (!this.model.needs_samples) choices.push("own");
    if (this.kept) choices.push("kept");
    choices.push("rows");
    if (!choices.includes(this.choice)) this.choice = choices[0];
    const options = choices.map((choice) => h("option", { value: choice, selected: choice === this.choice }, this.title(choice)));
    fill(this.select, options);
    this.editor.hidden = this.choice !== "rows";
    this.element.hidden = this.model.is_explainable !== true;
    if (this.model.needs_samples && !this.isThere) this.element.open = true;
  }

  title(choice) {
    return words.backgroundChoice[choice === "own" ? this.model.explanation_background : choice];
  }

  /** What the sentence starts from: "the average of the samples in its file". */
  get words() {
    if (this.choice === "kept") return words.backgroundKept;
    if (this.choice === "rows" && this.rows) return words.backgroundRows;
    return words.backgroundOwn[this.model.explanation_background];
  }

  get isThere() {
    return this.choice !== "rows" || this.rows !== null || !this.model.needs_samples;
  }

  choose(choice) {
    this.choice = choice;
    this.says.textContent = "";
    this.editor.hidden = choice !== "rows";
    if (choice !== "rows" || this.rows) this.change();
  }

  use() {
    try {
      this.rows = parseRecords(this.area.value, this.features);
      this.says.textContent = say("backgroundCount", { count: this.rows.length });
      this.change();
    } catch (error) {
      this.says.textContent = error.message;
    }
  }

  /** Take the record that is kept to compare with; null where none is. */
  keep(record) {
    const wasChosen = this.choice === "kept";
    this.kept = record;
    this.update();
    if (wasChosen) this.change();
  }

  /** The records that a request brings as its background; null where it brings none. */
  get records() {
    return { kept: this.kept && [this.kept], rows: this.rows }[this.choice] ?? null;
  }

  /** Show why the background was refused, and return it as a sentence. */
  showProblem(problem) {
    const [fault] = problem.faults;
    if (!fault) return problem.message;
    const [, row = "0", feature = ""] = readPointer(fault.pointer);
    const detail = `${feature} ${fault.detail}`.trim();
    const text = say("backgroundFault", { row: Number(row) + 1, detail });
    this.says.textContent = text;
    this.element.open = true;
    return text;
  }
}
