/** A batch: a CSV file is sent as it is, and its first hundred answers are shown. */

import { button, card, fill, h, newId } from "./dom.js";
import { plain } from "./numbers.js";
import { readCsv } from "./records.js";
import { postCsv } from "./service.js";
import { say, words } from "./words.js";

const SHOWN_ANSWERS = 100;
const MEGABYTE = 1024 * 1024;

/** Return the section that takes a file; `path` is where it is sent. */
export function makeBatch(path, limitBytes) {
  const result = h("div", { class: "batch-result", "aria-live": "polite" });
  const id = newId();
  const take = (file) => file && predict(file, path, limitBytes, result);
  const input = h("input", { type: "file", id, class: "off-screen", accept: ".csv,text/csv", change: () => takeInput(input, take) });
  const drop = h(
    "div",
    {
      class: "drop",
      dragover: (event) => {
        event.preventDefault();
        drop.classList.add("over");
      },
      dragleave: () => drop.classList.remove("over"),
      drop: (event) => {
        event.preventDefault();
        drop.classList.remove("over");
        take(event.dataTransfer.files[0]);
      },
    },
    words.batchDrop,
    " ",
    input,
    h("label", { for: id, class: "choose" }, words.batchChoose),
  );
  return card("batch", words.batch, h("p", { class: "hint" }, words.batchHint), drop, result);
}

/** Take the chosen file, and let the same one be chosen again after it was corrected. */
async function takeInput(input, take) {
  await take(input.files[0]);
  input.value = "";
}

async function predict(file, path, limitBytes, result) {
  const { name } = file;
  if (file.size > limitBytes) {
    const limit = plain(Number((limitBytes / MEGABYTE).toPrecision(2)));
    fill(result, h("p", { class: "fault" }, say("batchTooLarge", { limit })));
    return;
  }
  fill(result, h("p", { class: "note" }, say("batchBusy", { name })));
  try {
    showAnswers(result, name, await postCsv(path, file));
  } catch (problem) {
    const faults = problem.faults ?? [];
    const lines = faults.map((fault) => h("li", {}, sayFault(fault)));
    const note = lines.length ? h("p", { class: "note" }, words.batchHeader) : null;
    fill(result, h("p", { class: "fault" }, `${say("batchFaults", { name })}: ${problem.message}`), note, h("ul", {}, lines));
  }
}

/** Return a fault with its place in the file, of which the service has a pointer (RFC 7111). */
function sayFault({ pointer, detail }) {
  const [, kind, row, column] = /^#(cell|row)=(\d+)(?:,(\d+))?$/.exec(pointer) ?? [];
  if (kind === "cell") return say("batchCell", { row, column, detail });
  return kind === "row" ? say("batchLine", { row, detail }) : detail;
}

function showAnswers(result, name, text) {
  const [header, ...rows] = readCsv(text);
  const shown = rows.slice(0, SHOWN_ANSWERS);
  const key = rows.length > shown.length ? "batchDone" : "batchAll";
  const head = h("tr", {}, [words.batchRow, ...header].map((title) => h("th", { scope: "col" }, title)));
  const body = shown.map((row, index) =>
    h("tr", {}, h("th", { scope: "row" }, index + 1), row.map((cell) => h("td", { class: "number" }, shorten(cell)))),
  );
  const table = h("table", {}, h("thead", {}, head), h("tbody", {}, body));
  fill(
    result,
    h("div", { class: "tools" }, h("p", {}, say(key, { count: rows.length, name, shown: shown.length })), button(words.batchDownload, () => download(text, name))),
    h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": words.batch }, table),
  );
}

/** A number is shown with six digits; the file has all of them. */
function shorten(cell) {
  const number = Number(cell);
  const isLong = cell.includes(".") && cell.length > 8 && Number.isFinite(number);
  return isLong ? String(Number(number.toPrecision(6))) : cell;
}

function download(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  h("a", { href: url, download: say("batchName", { name }) }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
