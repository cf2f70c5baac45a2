/** Calls: the request for the record of the form, as curl, Python and JavaScript, to copy. */

import { button, card, h } from "./dom.js";
import { copyButton } from "./form.js";
import { envelop, toJson } from "./records.js";
import { words } from "./words.js";

const PYTHON = { null: "None", true: "True", false: "False" };
const ENVELOPE = '{"_data": record, "_samples": samples}'; // in Python and in JavaScript alike
const WRITERS = { curl, python, javascript };

/** The section with the request. */
export class Calls {
  constructor(needsKey) {
    this.needsKey = needsKey;
    this.language = "curl";
    this.code = h("code", {});
    this.tabs = Object.keys(WRITERS).map((language) => this.makeTab(language));
    this.panel = h("pre", { id: "call", role: "tabpanel", tabindex: "0" }, this.code);
    this.element = card(
      "calls",
      words.calls,
      h("p", { class: "hint" }, words.callsHint, needsKey ? ` ${words.callsKey}` : ""),
      h(
        "div",
        { class: "tools" },
        h("div", { class: "tabs", role: "tablist", "aria-label": words.calls, keydown: (event) => this.move(event) }, this.tabs),
        copyButton(words.copy, () => this.code.textContent),
      ),
      this.panel,
    );
    this.choose("curl");
  }

  makeTab(language) {
    const attributes = { role: "tab", id: `tab-${language}`, "aria-controls": "call", class: "tab" };
    return button(words.languages[language], () => this.choose(language), attributes);
  }

  /** Arrow keys lead from tab to tab, as the ARIA practices have it. */
  move({ key }) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const languages = Object.keys(WRITERS);
    const next = (languages.indexOf(this.language) + step + languages.length) % languages.length;
    this.choose(languages[next]);
    this.tabs[next].focus();
  }

  choose(language) {
    this.language = language;
    for (const tab of this.tabs) {
      const isChosen = tab.id === `tab-${language}`;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `tab-${language}`);
    this.write();
  }

  /** Show the request of a record to a path of the service, with its background if it brings one. */
  show(record, background, path) {
    this.record = record;
    this.background = background;
    this.url = new URL(path, document.baseURI).href.split("#")[0];
    this.write();
  }

  write() {
    if (!this.record) return;
    this.code.textContent = WRITERS[this.language](this.url, this.record, this.background, this.needsKey);
  }
}

function curl(url, record, background, needsKey) {
  const body = background ? envelop(toJson(record), background) : toJson(record);
  const key = needsKey ? '  -H "Authorization: Bearer $API_KEY" \\\n' : "";
  return `curl '${url}' \\\n${key}  -d ${shellQuote(body)}`;
}

function shellQuote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function python(url, record, background, needsKey) {
  const write = (text) => PYTHON[text] ?? text;
  const imports = needsKey ? "import json\nimport os\n" : "import json\n";
  const key = needsKey ? '\nrequest.add_header("X-API-Key", os.environ["API_KEY"])' : "";
  return `${imports}from urllib.request import Request, urlopen

record = ${literal(record, write)}
${background ? `samples = ${literals(background, write)}\n` : ""}request = Request("${url}", json.dumps(${background ? ENVELOPE : "record"}).encode())${key}
with urlopen(request) as response:
    print(json.load(response))`;
}

function javascript(url, record, background, needsKey) {
  const write = (text) => text;
  const key = needsKey ? '\n  headers: { "X-API-Key": process.env.API_KEY },' : "";
  return `const record = ${literal(record, write)};
${background ? `const samples = ${literals(background, write)};\n` : ""}const response = await fetch("${url}", {
  method: "POST",${key}
  body: JSON.stringify(${background ? ENVELOPE : "record"}),
});
console.log(await response.json());`;
}

/** Return the record as the literal of a language, a line for each feature. */
function literal(record, write) {
  const lines = [...record].map(([name, text]) => `    ${JSON.stringify(name)}: ${write(text)},`);
  return `{\n${lines.join("\n")}\n}`;
}

/** Return records as the literal of a list, a line for each. */
function literals(records, write) {
  const lines = records.map((record) => {
    const members = [...record].map(([name, text]) => `${JSON.stringify(name)}: ${write(text)}`);
    return `    {${members.join(", ")}},`;
  });
  return `[\n${lines.join("\n")}\n]`;
}
