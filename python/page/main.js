/** The first script: shows the form once there is a model, and then runs the second one. */

import { h, whenDrawn } from "./dom.js";
import { showKeyDialog } from "./key.js";
import { getJson, Problem, takeVersion, whenKeyIsNeeded } from "./service.js";
import { View } from "./view.js";
import { words } from "./words.js";

const PLACE = "place";
const AGAIN = ["reload", "back_forward"];

/** Return the view, once there is a model; until then, say why there is none, and try again. */
async function start(given) {
  try {
    const view = new View(given ? readModel(given) : await requestModel());
    view.show();
    returnToPlace();
    return view;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    showLoading(words.notReady, problem.message);
    await new Promise((resolve) => setTimeout(resolve, problem.retrySeconds * 1000));
    return start();
  }
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

/**
 * Wait until the browser has looked through the document as it came, for what it could fill in.
 *
 * With the form in it already, that takes half as long as to draw the form.
 */
function whenLoaded() {
  return new Promise((resolve) => window.addEventListener("load", () => setTimeout(resolve)));
}

/** Keep how far down the page is, for when it is loaded again: the browser scrolls an empty one. */
function keepPlace() {
  window.addEventListener("pagehide", () => sessionStorage.setItem(PLACE, window.scrollY));
}

function returnToPlace() {
  const [{ type }] = performance.getEntriesByType("navigation");
  // To look into the storage of a tab takes some milliseconds.
  if (AGAIN.includes(type)) window.scrollTo(0, sessionStorage.getItem(PLACE));
}

/** Run the script that came as a text: to parse it takes as long as to draw the form. */
function runScript(text) {
  document.head.append(h("script", {}, text));
}

document.documentElement.lang = words.locale;
whenKeyIsNeeded(showKeyDialog);
keepPlace();
const given = document.getElementById("model").textContent;
const later = document.getElementById("later").textContent;
if (!given) showLoading(words.loading);
export const shown = whenLoaded().then(() => start(given));
shown.then(() => whenDrawn(() => runScript(later)));
