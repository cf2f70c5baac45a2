/** The service: requests with the API key of this tab, and problem documents as exceptions. */

import { words } from "./words.js";

const KEY = "api-key";
const JSON_TYPE = "application/json";
const VERSION = "X-Model-Version";
export const RETRY_SECONDS = 2;

/** A request that was refused, or never reached the service; `faults` have JSON pointers. */
export class Problem extends Error {
  constructor(status, document, retrySeconds = RETRY_SECONDS) {
    super(document.detail || document.title || words.noReason);
    this.status = status;
    this.faults = document.errors || [];
    this.retrySeconds = retrySeconds;
  }
}

/** A response of another model than the one that the page shows: its numbers mean something else. */
export class OtherModel extends Problem {
  constructor() {
    super(409, { detail: words.otherModel });
  }
}

let shownVersion = null;

/** Take a version as that of the model that the page shows; without one, that of the next response. */
export function takeVersion(version) {
  shownVersion = version;
}

let askForKey = async () => null;

/** Take the function that asks a person for the key; it is told whether another one was wrong. */
export function whenKeyIsNeeded(ask) {
  askForKey = ask;
}

function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Keep the key as long as this tab is open. */
export function keepKey(key) {
  sessionStorage.setItem(KEY, key);
}

export function forgetKey() {
  sessionStorage.removeItem(KEY);
}

export async function getJson(path) {
  const response = await send(path, { headers: { Accept: JSON_TYPE } });
  return response.json();
}

/** Return what the service says to a body of JSON, which is a text. */
export async function postJson(path, body, signal) {
  const headers = { Accept: JSON_TYPE, "Content-Type": JSON_TYPE };
  const response = await send(path, { method: "POST", headers, body, signal });
  return response.json();
}

export async function postCsv(path, body) {
  const headers = { Accept: "text/csv", "Content-Type": "text/csv" };
  const response = await send(path, { method: "POST", headers, body });
  return response.text();
}

async function send(path, options) {
  const response = await fetchWithKey(path, options);
  if (response.status === 401) {
    await askForKey(hasKey());
    return send(path, options);
  }
  checkVersion(response);
  if (response.ok) return response;
  const retrySeconds = Number(response.headers.get("Retry-After")) || undefined;
  throw new Problem(response.status, await readProblem(response), retrySeconds);
}

/** Throw OtherModel if the service has had its model replaced; without one, it says no version. */
function checkVersion(response) {
  const version = response.headers.get(VERSION);
  if (version === null) return;
  shownVersion ??= version;
  if (version !== shownVersion) throw new OtherModel();
}

async function fetchWithKey(path, options) {
  const headers = { ...options.headers };
  if (hasKey()) headers["X-API-Key"] = asHeader(sessionStorage.getItem(KEY));
  try {
    return await fetch(path, { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: words.unreachable });
  }
}

/** Return a key as UTF-8 in the characters that a header may have, each of which is a byte. */
function asHeader(key) {
  return String.fromCharCode(...new TextEncoder().encode(key));
}

async function readProblem(response) {
  try {
    return await response.json();
  } catch {
    return { title: `${response.status} ${response.statusText}` };
  }
}

/** Return the names that a JSON pointer in a URI fragment leads through (RFC 6901, section 6). */
export function readPointer(pointer) {
  const steps = pointer.replace(/^#/, "").split("/").slice(1);
  return steps.map(decodeURIComponent).map(unescapeStep);
}

function unescapeStep(step) {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}
