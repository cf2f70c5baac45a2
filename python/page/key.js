/** The API key, asked for by a dialog. */

import { h } from "./dom.js";
import { forgetKey, keepKey } from "./service.js";
import { words } from "./words.js";

let asking = null;

/** Ask for the API key, once for all requests that need it. */
export function showKeyDialog(wasWrong) {
  asking ??= new Promise((resolve) => {
    const input = h("input", { type: "password", id: "key", autocomplete: "off", required: true, "aria-describedby": "key-note" });
    const note = h("p", { id: "key-note", class: wasWrong ? "fault" : "note" }, wasWrong ? words.keyWrong : words.keyHint);
    const submit = (event) => {
      event.preventDefault();
      keepKey(input.value);
      dialog.remove();
      asking = null;
      resolve();
    };
    const form = h("form", { submit }, h("h2", { id: "key-title" }, words.key), h("label", { for: "key" }, words.keyLabel), input, note, h("button", { type: "submit" }, words.keyButton));
    // Without a key there is nothing to see, and Escape closes a dialog, whatever it is told.
    const dialog = h("dialog", { class: "card", "aria-labelledby": "key-title", close: () => dialog.showModal() }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

export function forgetAndReload() {
  forgetKey();
  location.reload();
}
