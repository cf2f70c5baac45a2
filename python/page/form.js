/** The form: a field for each feature, groups and search where there are many, and paste. */

import { button, copy, debounce, fill, h, newId, opening } from "./dom.js";
import { Field } from "./fields.js";
import { parseRecord, toLink, toRecord } from "./records.js";
import { readPointer } from "./service.js";
import { countFeatures, say, words } from "./words.js";

const UNGROUPED_FEATURES = 20;
const GROUP_SIZE = 25;
const LEAST_GROUP = 3;
const PREFIX = /^(.+?)[_.:\-/ ]/;
const CHECKED_MILLISECONDS = 300;

/** The form of a record. `change` is called 300 milliseconds after the last key. */
export class Form {
  constructor(features, about, change) {
    this.features = features;
    this.example = toRecord(about.example);
    this.extras = new Map();
    this.change = change;
    const changedLater = debounce(() => this.change(), CHECKED_MILLISECONDS);
    this.fields = new Map();
    for (const feature of features) {
      const field = new Field(feature, about.profile?.[feature.name], changedLater);
      this.fields.set(feature.name, field);
    }
    this.pinned = h("p", { class: "pinned", "aria-hidden": "true" });
    this.faults = h("div", { class: "faults", role: "alert" });
    this.element = h(
      "section",
      { class: "card record", id: "record", "aria-labelledby": "record-title" },
      h("div", { class: "card-head" }, h("h2", { id: "record-title" }, words.record), this.makeTools()),
      h("p", { class: "hint" }, words.recordHint),
      this.makePaste(),
      this.makeSearch(),
      this.faults,
      this.makeFields(),
      this.pinned,
    );
  }

  makeTools() {
    const canClear = this.features.every((feature) => !feature.required);
    return h(
      "div",
      { class: "tools" },
      button(words.example, () => this.put(this.example), { class: "quiet" }),
      canClear ? button(words.clear, () => this.put(new Map()), { class: "quiet" }) : null,
      copyButton(words.link, () => this.linkTo(), { title: words.linkHint }),
    );
  }

  /** Return a link to the record, which is also the address of the page from now on. */
  linkTo() {
    const link = toLink(this.read());
    history.replaceState(null, "", link);
    return link;
  }

  makePaste() {
    const id = newId();
    const area = h("textarea", { id, rows: 4, spellcheck: "false", "aria-describedby": `${id}-says` });
    const says = h("p", { id: `${id}-says`, class: "note", role: "status" }, words.pasteHint);
    const read = () => {
      try {
        this.put(parseRecord(area.value, this.features));
        says.textContent = words.pasteDone;
      } catch (error) {
        says.textContent = error.message;
      }
    };
    const label = h("label", { for: id }, words.pasteLabel);
    return opening(words.paste, { class: "paste" }, label, area, says, button(words.pasteButton, read));
  }

  makeSearch() {
    if (this.features.length <= UNGROUPED_FEATURES) return null;
    const id = newId();
    const count = h("span", { class: "note", role: "status" });
    const input = h("input", { type: "search", id, autocomplete: "off", input: () => this.find(input.value, count) });
    return h("div", { class: "search" }, h("label", { for: id }, words.search), input, count);
  }

  /** Show the features whose names have all the words, and open the groups that they are in. */
  find(text, count) {
    const parts = text.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const [name, field] of this.fields) {
      const matches = parts.every((part) => name.toLowerCase().includes(part));
      field.element.hidden = !matches;
      shown += matches ? 1 : 0;
    }
    for (const group of this.groups) {
      group.hidden = !group.querySelector(".field:not([hidden])");
      group.open = text.trim() !== "" || group === this.groups[0];
    }
    const total = this.features.length;
    count.textContent = text.trim() ? say("searchCount", { count: shown, total }) : "";
  }

  makeFields() {
    const groups = groupFeatures(this.features);
    this.groups = groups.map(({ title, features }, index) => {
      const count = h("span", { class: "count" }, countFeatures(features.length));
      return opening([title, " ", count], { class: "group", open: index === 0 }, this.fieldsOf(features));
    });
    return this.groups.length ? h("div", { class: "groups" }, this.groups) : this.fieldsOf(this.features);
  }

  fieldsOf(features) {
    return h("div", { class: "fields" }, features.map(({ name }) => this.fields.get(name).element));
  }

  /** Return the record that the form shows, a Map of texts of JSON. */
  read() {
    const record = new Map();
    for (const [name, field] of this.fields) record.set(name, field.get());
    for (const [name, text] of this.extras) record.set(name, text);
    return record;
  }

  /** Show a record without asking for its answer. What is no feature stays a part of it. */
  show(record) {
    for (const [name, field] of this.fields) field.set(record.get(name));
    this.extras = new Map([...record].filter(([name]) => !this.fields.has(name)));
  }

  put(record) {
    this.show(record);
    this.change();
  }

  /** Show the faults of a problem at the fields that they point to, and the others above them. */
  showProblem(problem) {
    for (const field of this.fields.values()) field.showFault("");
    const items = (problem?.faults ?? []).map((fault) => this.showFault(fault));
    fill(this.faults);
    if (!problem) return;
    const sentence = items.length ? words.faults : problem.message;
    this.faults.append(h("p", {}, sentence), items.length ? h("ul", {}, items) : "");
    if (this.extras.size) this.faults.append(button(words.dropExtras, () => this.dropExtras()));
  }

  showFault({ pointer, detail }) {
    const name = readPointer(pointer).at(-1);
    const field = this.fields.get(name);
    const text = name === undefined ? detail : say("faultAt", { feature: name, detail });
    if (!field) return h("li", {}, text);
    field.showFault(detail);
    return h("li", {}, button(text, () => field.reveal(), { class: "link" }));
  }

  dropExtras() {
    this.extras.clear();
    this.change();
  }
}

/** Return a button that copies a text, and says whether it did. */
export function copyButton(title, text, attributes = {}) {
  const click = async () => {
    const copied = await copy(text());
    element.textContent = copied ? words.copied : words.notCopied;
    setTimeout(() => (element.textContent = title), 2000);
  };
  const element = button(title, click, { class: "quiet", "aria-live": "polite", ...attributes });
  return element;
}

/**
 * Return groups of features: by what their names begin with, else so many at a time.
 *
 * There are none where there are few features.
 */
function groupFeatures(features) {
  if (features.length <= UNGROUPED_FEATURES) return [];
  const byPrefix = Map.groupBy ? groupByPrefix(features) : null;
  return byPrefix ?? groupByNumber(features);
}

function groupByPrefix(features) {
  const prefixes = Map.groupBy(features, ({ name }) => PREFIX.exec(name)?.[1] ?? "");
  const groups = [];
  const others = [];
  for (const [title, members] of prefixes) {
    if (title && members.length >= LEAST_GROUP) groups.push({ title, features: members });
    else others.push(...members);
  }
  const isUseful = groups.length > 1 && others.length < features.length / 2;
  if (!isUseful) return null;
  if (others.length) groups.push({ title: words.groupOther, features: others });
  return groups;
}

function groupByNumber(features) {
  const groups = [];
  for (let start = 0; start < features.length; start += GROUP_SIZE) {
    const members = features.slice(start, start + GROUP_SIZE);
    const title = say("groupRange", { first: members[0].name, last: members.at(-1).name });
    groups.push({ title, features: members });
  }
  return groups;
}
