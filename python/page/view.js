/** The first view: the model in a sentence, the form, and the place of the answer. */

import { button, card, h } from "./dom.js";
import { Form } from "./form.js";
import { forgetAndReload } from "./key.js";
import { isLink, readLink, toRecord } from "./records.js";
import { countFeatures, say, sayWith, words } from "./words.js";

/**
 * What a person sees first. It is drawn before the script of the answers is run.
 *
 * `answers` is a promise of the `Answers`, which come with that script: what is typed before is in
 * the form for them, and what is pressed before is done then.
 */
export class View {
  constructor({ metadata: { features }, model, version, about }) {
    this.version = version;
    this.model = { ...model, labels: about.labels };
    this.about = about;
    this.answers = new Promise((resolve) => {
      this.takeAnswers = resolve;
    });
    this.form = new Form(
      features,
      about,
      () => this.changed(),
      (field) => this.answers.then((answers) => answers.toggleWhatIf(field)),
    );
    this.up = h("span", { class: "up" }, words.up);
    this.answer = card("answer", words.answer);
    this.columns = h("div", { class: "columns" }, this.form.element, this.answer);
  }

  show() {
    document.title = this.about.name;
    const linked = readLink();
    this.form.show(linked ?? toRecord(this.about.example));
    if (isLink() && !linked) this.form.remark.textContent = words.linkBroken;
    window.addEventListener("hashchange", () => this.follow());
    document.body.replaceChildren(this.makeHeader(), h("main", {}, this.columns));
  }

  /** Ask for the answer. An address that holds a record holds the one in the form from now on. */
  changed() {
    if (isLink()) this.form.linkTo();
    this.answers.then((answers) => answers.ask());
  }

  /** Show the record of an address that was opened in this tab; the way back to one loses nothing. */
  follow() {
    if (!isLink()) return;
    const isWayBack = location.hash === this.form.address;
    const linked = readLink();
    if (isWayBack) this.form.linkTo();
    else if (linked) this.form.put(linked);
    else this.form.remark.textContent = words.linkBroken;
  }

  makeHeader() {
    const predictor = this.model.predictor_type.split("'")[1]?.split(".").at(-1) ?? "";
    const link = (href, text, click) => h("li", {}, h("a", { href, click }, text));
    return h(
      "header",
      {},
      h("p", { class: "kicker" }, this.about.name, this.up),
      h("h1", {}, describe(this.model, this.about.n_outputs, this.form.features)),
      h("p", { class: "hint" }, predictor, this.version ? ` \u00b7 ${say("version", { version: this.version })}` : ""),
      h(
        "nav",
        { "aria-label": words.links },
        h(
          "ul",
          {},
          link("#record", words.toRecord),
          link("#meaning", words.toAnswer, () => this.answers.then((answers) => answers.openMeaning())),
          link("#answer", words.toWhy),
          link("#calls", words.toCalls, () => this.answers.then((answers) => answers.choosePython())),
          link("ready", words.toReady),
          link("docs", words.toDocs),
          // A browser sends no key with a link.
          this.about.needs_key
            ? h("li", {}, button(words.keyForget, forgetAndReload, { class: "link" }))
            : link("openapi.json", words.toDescription),
        ),
      ),
    );
  }

  /** Say whether the service responds. */
  showUp(isUp) {
    this.up.textContent = isUp ? words.up : words.down;
    this.up.classList.toggle("is-down", !isUp);
  }
}

/** Return the model in a sentence. */
function describe(model, outputs, features) {
  const count = countFeatures(features.length);
  const names = model.class_names;
  if (outputs > 1) return sayWith("sentenceOutputs", { count });
  if (names?.length === 2) return sayWith("sentenceTwo", { first: h("em", {}, names[0]), second: h("em", {}, names[1]), count });
  if (names) return sayWith("sentenceMany", { classes: names.length, count });
  if (model.task === "REGRESSION") return sayWith("sentenceNumber", { count });
  if (model.task === "OUTLIER_DETECTOR") return sayWith("sentenceOutlier", { count });
  return sayWith("sentenceOther", { count });
}
