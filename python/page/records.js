/**
 * Records: a value for each feature, each as the text that JSON has for it.
 *
 * The text is kept, because a number of more than 53 bits would be another one in JavaScript.
 */

import { words, say } from "./words.js";

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const NUMERIC_TYPES = ["numeric", "integer"];
const LINK = "record";

/** Return a record, a Map of texts, of an object. */
export function toRecord(object) {
  const record = new Map();
  for (const [name, value] of Object.entries(object)) {
    record.set(name, JSON.stringify(value) ?? "null");
  }
  return record;
}

/** Return the JSON of a record. */
export function toJson(record) {
  const members = [...record].map(([name, text]) => `${JSON.stringify(name)}: ${text}`);
  return `{${members.join(", ")}}`;
}

/** Return the body of a request for a record that brings the rows to explain it against. */
export function envelop(body, records) {
  return `{"_data": ${body}, "_samples": [${records.map(toJson).join(", ")}]}`;
}

/** Return what JSON has for what somebody typed as a number: as it is where it is none. */
export function numberText(typed) {
  const text = typed.trim();
  if (text === "") return "null";
  if (NUMBER.test(text)) return text;
  const simpler = text.replace("\u2212", "-").replace(/^\+/, "").replace(/^(-?)\./, "$10.").replace(/\.$/, "");
  return NUMBER.test(simpler) ? simpler : JSON.stringify(typed);
}

/** Return the record in a text of JSON or CSV; throw an Error that says why there is none. */
export function parseRecord(text, features) {
  const trimmed = text.trim();
  if (trimmed === "") throw new Error(words.pasteEmpty);
  if (/^[{[]/.test(trimmed)) return parseJson(trimmed)[0];
  return parseCsv(trimmed, features)[0];
}

/** Return all records in such a text. */
export function parseRecords(text, features) {
  const trimmed = text.trim();
  if (trimmed === "") throw new Error(words.pasteEmpty);
  return /^[{[]/.test(trimmed) ? parseJson(trimmed) : parseCsv(trimmed, features);
}

function parseJson(text) {
  let value;
  try {
    value = JSON.parse(text, keepSource);
  } catch (error) {
    throw new Error(say("pasteNoJson", { reason: error.message }));
  }
  const content = value?._data ?? value;
  const objects = Array.isArray(content) ? content : [content];
  if (!objects.length || !objects.every(isObject)) throw new Error(words.pasteNoRecord);
  return objects.map(toTexts);
}

class Source {
  constructor(text) {
    this.text = text;
  }

  /** A list or an object around it is no value of a feature, and is only shown. */
  toJSON() {
    return Number(this.text);
  }
}

/** Keep a number as it was written, where the browser says how. */
function keepSource(_name, value, context) {
  const isNumber = typeof value === "number" && context?.source;
  return isNumber ? new Source(context.source) : value;
}

function toTexts(object) {
  const record = new Map();
  for (const [name, value] of Object.entries(object)) {
    record.set(name, value instanceof Source ? value.text : JSON.stringify(value));
  }
  return record;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Source);
}

function parseCsv(text, features) {
  const rows = readCsv(text);
  const names = features.map((feature) => feature.name);
  let header = names;
  if (rows.length > 1 || rows[0].some((cell) => names.includes(cell.trim()))) {
    header = rows.shift().map((cell) => cell.trim());
  }
  if (!rows.length) throw new Error(words.pasteNoRow);
  const byName = new Map(features.map((feature) => [feature.name, feature]));
  return rows.map((row) => {
    if (row.length !== header.length) {
      throw new Error(say("pasteCells", { cells: row.length, expected: header.length }));
    }
    return new Map(header.map((name, index) => [name, cellText(row[index], byName.get(name))]));
  });
}

/** Return the rows of CSV (RFC 4180), or of what a spreadsheet copies, which has tabs. */
export function readCsv(text) {
  const separator = findSeparator(text);
  const rows = [[]];
  let cell = "";
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') cell += text[(index += 1)];
      else quoted = false;
    } else if (character === '"' && cell === "") {
      quoted = true;
    } else if (character === separator || character === "\n") {
      rows.at(-1).push(cell);
      cell = "";
      if (character === "\n") rows.push([]);
    } else if (character !== "\r") {
      cell += character;
    }
  }
  rows.at(-1).push(cell);
  return rows.filter((row) => row.length > 1 || row[0] !== "");
}

function findSeparator(text) {
  const [line] = text.split("\n", 1);
  if (line.includes("\t")) return "\t";
  return line.includes(";") && !line.includes(",") ? ";" : ",";
}

function cellText(cell, feature) {
  const text = cell.trim();
  if (text === "") return "null";
  if (NUMERIC_TYPES.includes(feature?.type)) return numberText(text);
  if (feature?.type === "boolean") {
    if (["true", words.yes].includes(text.toLowerCase())) return "true";
    if (["false", words.no].includes(text.toLowerCase())) return "false";
  }
  const category = feature?.categories?.find((value) => String(value) === text);
  return JSON.stringify(category ?? cell);
}

/** Return an address of the page that holds a record: in the fragment, which is never sent. */
export function toLink(record) {
  return `${location.href.split("#")[0]}#${LINK}=${encodeURIComponent(toJson(record))}`;
}

/** Return whether the address of the page should hold a record. */
export function isLink() {
  return location.hash.startsWith(`#${LINK}=`);
}

/** Return the record in the address of the page; null where there is none. */
export function readLink() {
  const [, text] = location.hash.split(`#${LINK}=`);
  if (!text) return null;
  try {
    return parseJson(decodeURIComponent(text))[0];
  } catch {
    return null;
  }
}
