/** Fields: how the value of one feature is asked for, by its type. */

import { button, h, newId } from "./dom.js";
import { plain } from "./numbers.js";
import { numberText } from "./records.js";
import { say, words } from "./words.js";

export const NULL = "null";
const TEXT_TYPES = ["string", "datetime"];
const LOCAL_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?)?$/;
const MIDNIGHT = /^\d{4}-\d\d-\d\d(T00:00(:00(\.0+)?)?)?$/;

/** Return what stands in for an unknown value, as a person would say it. */
export function standIn(feature) {
  if (feature.default === undefined || feature.default === null) return null;
  return showValue(feature.default);
}

/** Return a value of JSON as a person would say it. */
export function showValue(value) {
  if (value === true) return words.yes;
  if (value === false) return words.no;
  if (value === "") return words.emptyText;
  return typeof value === "number" ? numberOf(String(value)) : String(value);
}

/** Return the text of a record's value as a person would say it; null where it is unknown. */
export function showText(text) {
  if (text === undefined || text === NULL) return null;
  // A number is shown as it was typed: it may have more digits than JavaScript keeps.
  return /^[-\d]/.test(text) ? numberOf(text) : showValue(JSON.parse(text));
}

/** Return a number as it was written, with all its digits, and real minus signs. */
function numberOf(text) {
  return text.replaceAll("-", "\u2212");
}

/** A feature's label, control, and what is said below it. */
export class Field {
  constructor(feature, profile, change, askWhatIf) {
    this.feature = feature;
    this.profile = profile;
    this.change = change;
    this.askWhatIf = askWhatIf;
    this.id = newId();
    this.note = h("p", { class: "note", id: `${this.id}-note` });
    this.fault = h("p", { class: "fault", id: `${this.id}-fault`, hidden: true });
    this.control = this.makeControl();
    this.control.setAttribute("aria-describedby", `${this.id}-note ${this.id}-fault`);
    this.control.addEventListener("input", () => this.changed());
    this.extra = h("div");
    this.element = h(
      "div",
      { class: "field", "data-feature": feature.name },
      h("div", { class: "field-head" }, this.makeLabel(), this.makeUnknown()),
      h("div", { class: "field-body" }, this.control, this.makeWhatIf()),
      this.note,
      this.fault,
      this.extra,
    );
  }

  makeLabel() {
    const { feature } = this;
    const kind = h("span", { class: "kind" }, words.kinds[feature.type] ?? feature.type);
    const optional = feature.required ? null : h("span", { class: "kind" }, ` \u00b7 ${words.optional}`);
    return h("label", { for: this.id }, h("span", { class: "name" }, feature.name), " ", kind, optional);
  }

  /** The choice "unknown" of a feature that is typed; a select has it among its options. */
  makeUnknown() {
    if (this.feature.required || this.isSelect) return null;
    this.unknown = h("input", {
      type: "checkbox",
      "aria-label": say("unknownOf", { feature: this.feature.name }),
      change: () => this.toggled(),
    });
    return h("label", { class: "unknown" }, this.unknown, words.unknown);
  }

  makeWhatIf() {
    if (!this.range) return null;
    this.whatIf = button(words.whatIf, () => this.askWhatIf(this), {
      class: "quiet",
      "aria-expanded": "false",
      "aria-label": say("whatIfOf", { feature: this.feature.name }),
    });
    return this.whatIf;
  }

  /** The training range of a number, if the file has it. */
  get range() {
    const range = this.profile?.range;
    const isNumber = ["numeric", "integer"].includes(this.feature.type);
    const isThere = Array.isArray(range) && range.every(Number.isFinite) && range[0] < range[1];
    return isNumber && isThere ? range : null;
  }

  get isSelect() {
    return this.control.tagName === "SELECT";
  }

  makeControl() {
    const { feature } = this;
    if (feature.type === "boolean") return this.makeSelect([true, false]);
    if (feature.type === "category") return this.makeSelect(feature.categories ?? []);
    const attributes = { id: this.id, autocomplete: "off", spellcheck: "false", type: "text" };
    if (!TEXT_TYPES.includes(feature.type)) attributes.inputmode = "decimal";
    return h("input", attributes);
  }

  makeSelect(values) {
    const first = h("option", { value: NULL }, this.feature.required ? words.choose : this.unknownText());
    const options = values.map((value) => h("option", { value: JSON.stringify(value) }, showValue(value)));
    return h("select", { id: this.id }, first, options);
  }

  unknownText() {
    const value = standIn(this.feature);
    return value === null ? words.unknownMissing : say("unknownStandsIn", { value });
  }

  /** Return the text of JSON for the value; `null` where it is unknown. */
  get() {
    if (this.unknown?.checked) return NULL;
    const { value } = this.control;
    if (this.isSelect) return value;
    if (this.feature.type === "string") return JSON.stringify(value);
    if (this.feature.type === "datetime") return value === "" ? NULL : JSON.stringify(value);
    return numberText(value);
  }

  /** Show a value; what no control can show is shown as text. */
  set(text = NULL) {
    const isUnknown = text === NULL;
    if (this.unknown) this.unknown.checked = isUnknown;
    if (this.isSelect) this.select(text);
    else this.write(isUnknown ? "" : asTyped(text));
    this.refresh();
  }

  select(text) {
    const isOffered = [...this.control.options].some((option) => option.value === text);
    this.odd?.remove();
    this.odd = isOffered ? null : h("option", { value: text }, showText(text));
    if (this.odd) this.control.append(this.odd);
    this.control.value = text;
  }

  write(value) {
    if (this.feature.type === "datetime") this.chooseDateType(value);
    this.control.value = this.control.type === "date" ? value.slice(0, 10) : value;
  }

  /** A browser's own controls have no offsets and no nanoseconds. */
  chooseDateType(value) {
    const known = [value, ...(this.profile?.quantiles ?? [])].filter((text) => typeof text === "string" && text);
    const control = this.control;
    control.type = "text";
    if (known.every((text) => MIDNIGHT.test(text))) control.type = "date";
    else if (LOCAL_TIME.test(value) || value === "") control.type = "datetime-local";
    if (control.type === "datetime-local") control.step = "any";
  }

  toggled() {
    if (!this.unknown.checked && this.control.value === "") this.control.focus();
    this.changed();
  }

  changed() {
    this.refresh();
    this.change(this);
  }

  /** Say what stands in for a value that is unknown, or that no value in training was so large. */
  refresh() {
    const isUnknown = this.get() === NULL && !this.feature.required;
    this.element.classList.toggle("is-unknown", isUnknown);
    if (this.unknown) this.control.disabled = this.unknown.checked;
    this.note.textContent = isUnknown && !this.isSelect ? this.sayUnknown() : this.sayOutside();
  }

  sayUnknown() {
    const value = standIn(this.feature);
    return value === null ? words.standsMissing : say("standsIn", { value });
  }

  sayOutside() {
    const number = Number(this.get());
    if (!this.range || this.get() === NULL || Number.isNaN(number)) return "";
    const [low, high] = this.range;
    if (number >= low && number <= high) return "";
    return say("outside", { low: plain(low), high: plain(high) });
  }

  /** Show what is wrong with the value; nothing where nothing is. */
  showFault(detail) {
    this.fault.textContent = detail;
    this.fault.hidden = detail === "";
    if (detail) this.control.setAttribute("aria-invalid", "true");
    else this.control.removeAttribute("aria-invalid");
  }

  /** Lead to the field, also where the search has left it out. */
  reveal() {
    this.element.hidden = false;
    if (this.unknown?.checked) this.unknown.focus();
    else this.control.focus();
  }
}

function asTyped(text) {
  const isText = text.startsWith('"');
  return isText ? JSON.parse(text) : text;
}
