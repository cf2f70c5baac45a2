/** The form: a field for each feature, groups and search where there are many, and paste. */

import { button, card, copy, debounce, fill, h, newId, opening, whenIdle } from "./dom.js";
import { Field, NULL } from "./fields.js";
import { parseRecord, toLink, toRecord } from "./records.js";
import { OtherModel, readPointer } from "./service.js";
import { countFeatures, say, words } from "./words.js";

const UNGROUPED_FEATURES = 20;
const GROUP_SIZE = 25;
const LEAST_GROUP = 3;
const FIRST_FIELDS = 5;
// As in the style. Elsewhere the page grows with its fields, and would lose its place when it does.
const SCROLLS = matchMedia("(min-width: 34.01rem)");
const PREFIX = /^(.+?)[_.:\-/ ]/;
const CHECKED_MILLISECONDS = 300;

/**
 * The form of a record. `change` is called 300 milliseconds after the last key, and `askWhatIf` for
 * a field.
 *
 * The record holds a value of each feature, and a field is made when its group is first opened: the
 * fields of 300 features take longer to make than everything else. Where the form scrolls, the first
 * five of the first group are shown before its others are made, and before the other groups.
 */
export class Form {
  constructor(features, about, change, askWhatIf) {
    this.features = features;
    this.profile = about.profile ?? {};
    this.example = toRecord(about.example);
    this.record = new Map();
    this.address = location.hash;
    this.change = change;
    this.changeLater = debounce(() => this.change(), CHECKED_MILLISECONDS);
    this.askWhatIf = askWhatIf;
    this.byName = new Map(features.map((feature) => [feature.name, feature]));
    this.fields = new Map();
    this.details = new Map();
    this.pinned = h("p", { class: "pinned", "aria-hidden": "true" });
    this.remark = h("p", { class: "fault", role: "status" });
    this.faults = h("div", { class: "faults", role: "alert" });
    this.element = card(
      "record",
      words.record,
      h("p", { class: "hint" }, words.recordHint),
      this.makeTools(),
      this.makePaste(),
      this.makeSearch(),
      this.remark,
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
    this.address = location.hash;
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
    const isWanted = (name) => parts.every((part) => name.toLowerCase().includes(part));
    const isSearch = text.trim() !== "";
    let shown = 0;
    this.listGroups();
    for (const group of this.groups) {
      const wanted = group.names.filter(isWanted);
      shown += wanted.length;
      group.element.hidden = wanted.length === 0;
      group.element.open = isSearch ? wanted.length > 0 : group === this.groups[0];
      if (group.element.open) this.fillGroup(group);
    }
    for (const [name, field] of this.fields) field.element.hidden = !isWanted(name);
    const total = this.features.length;
    count.textContent = isSearch ? say("searchCount", { count: shown, total }) : "";
  }

  makeFields() {
    this.groups = groupFeatures(this.features).map((group, index) => this.makeGroup(group, index === 0));
    if (this.groups.length) return this.makeList();
    return h("div", { class: "fields" }, this.features.map((feature) => this.makeField(feature).element));
  }

  /** List the first group, and the others once the browser has nothing else to do. */
  makeList() {
    this.list = h("div", { class: "groups" });
    this.listGroups(SCROLLS.matches ? 1 : this.groups.length);
    whenIdle(() => this.listGroups());
    return this.list;
  }

  /** List the groups, or the first of them, unless they are there. */
  listGroups(count = this.groups.length) {
    const missing = this.groups.slice(this.list.childElementCount, count);
    this.list.append(...missing.map(({ element }) => element));
  }

  makeGroup({ title, features }, isOpen) {
    const count = h("span", { class: "count" }, countFeatures(features.length));
    const body = h("div", { class: "fields" });
    const group = { names: features.map(({ name }) => name), body };
    // A group that is open at first fires `toggle` too, before it is drawn: all would be made then.
    const opened = isOpen ? null : () => group.element.open && this.fillGroup(group);
    group.element = opening([title, " ", count], { class: "group", open: isOpen, toggle: opened }, body);
    if (isOpen) this.fillFirst(group);
    return group;
  }

  /** Make the first fields of a group, and the others once the browser has nothing else to do. */
  fillFirst(group) {
    this.fillGroup(group, SCROLLS.matches ? FIRST_FIELDS : group.names.length);
    whenIdle(() => this.fillGroup(group));
  }

  /** Make the fields of a group, or the first of them, unless they are there. */
  fillGroup({ names, body }, count = names.length) {
    const missing = names.slice(body.childElementCount, count);
    body.append(...missing.map((name) => this.makeField(this.byName.get(name)).element));
  }

  makeField(feature) {
    const { name } = feature;
    const changed = (field) => {
      this.record.set(name, field.get());
      this.changeLater();
    };
    const field = new Field(feature, this.profile[name], changed, this.askWhatIf);
    field.set(this.record.get(name));
    field.showFault(this.details.get(name) ?? "");
    this.fields.set(name, field);
    return field;
  }

  /** Return the record, a Map of texts of JSON: a value of each feature, and what is no feature. */
  read() {
    const record = new Map(this.features.map(({ name }) => [name, this.record.get(name) ?? NULL]));
    for (const [name, text] of this.record) record.set(name, text);
    return record;
  }

  /** Show a record without asking for its answer. What is no feature stays a part of it. */
  show(record) {
    this.record = new Map(record);
    for (const [name, field] of this.fields) field.set(record.get(name));
  }

  put(record) {
    this.remark.textContent = "";
    this.show(record);
    this.change();
  }

  /** Show the faults of a problem at the fields that they point to, and the others above them. */
  showProblem(problem) {
    this.details.clear();
    const items = (problem?.faults ?? []).map((fault) => this.showFault(fault));
    for (const [name, field] of this.fields) field.showFault(this.details.get(name) ?? "");
    fill(this.faults);
    if (!problem) return;
    const sentence = items.length ? words.faults : problem.message;
    this.faults.append(h("p", {}, sentence), items.length ? h("ul", {}, items) : "");
    if (problem instanceof OtherModel) this.faults.append(button(words.showModel, () => this.reload()));
    if (this.extras.length) this.faults.append(button(words.dropExtras, () => this.dropExtras()));
  }

  reload() {
    this.linkTo();
    location.reload();
  }

  showFault({ pointer, detail }) {
    const name = readPointer(pointer).at(-1);
    const text = name === undefined ? detail : say("faultAt", { feature: name, detail });
    if (!this.byName.has(name)) return h("li", {}, text);
    this.details.set(name, detail);
    return h("li", {}, button(text, () => this.reveal(name), { class: "link" }));
  }

  /** Lead to the field of a feature, also where it is in a closed group. */
  reveal(name) {
    const group = this.groups.find(({ names }) => names.includes(name));
    if (group) {
      this.listGroups();
      this.fillGroup(group);
      group.element.hidden = false;
      group.element.open = true;
    }
    this.fields.get(name).reveal();
  }

  /** The names in the record that are no feature's. */
  get extras() {
    return [...this.record.keys()].filter((name) => !this.byName.has(name));
  }

  dropExtras() {
    for (const name of this.extras) this.record.delete(name);
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
 * Return groups of features: by what their names begin with, and so many at a time.
 *
 * There are none where there are few features.
 */
function groupFeatures(features) {
  if (features.length <= UNGROUPED_FEATURES) return [];
  const byPrefix = Map.groupBy ? groupByPrefix(features) : null;
  return byPrefix?.flatMap(splitGroup) ?? groupByNumber(features);
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

function splitGroup(group) {
  return group.features.length > GROUP_SIZE ? groupByNumber(group.features) : [group];
}

/** Return groups that are about as large. */
function groupByNumber(features) {
  const groups = [];
  const size = Math.ceil(features.length / Math.ceil(features.length / GROUP_SIZE));
  for (let start = 0; start < features.length; start += size) {
    const members = features.slice(start, start + size);
    const title = say("groupRange", { first: members[0].name, last: members.at(-1).name });
    groups.push({ title, features: members });
  }
  return groups;
}
