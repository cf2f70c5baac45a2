/** The second script: the answers, for the view that is there by then. */

import { Answers } from "./answers.js";
import { shown } from "./main.js";

shown.then((view) => new Answers(view).begin());
