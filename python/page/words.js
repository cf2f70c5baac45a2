/** All words of the page. To translate it, translate this file; {name} stands for a value. */

export const words = {
  locale: "en",
  decimalMark: ".",
  groupMark: ",",

  // What the model is.
  loading: "Asking the service for its model\u2026",
  notReady: "The model is not ready yet",
  retrying: "This page tries again by itself.",
  sentenceTwo: "This model tells {first} from {second}, by {count}.",
  sentenceMany: "This model sorts a record into one of {classes} classes, by {count}.",
  sentenceNumber: "This model predicts a number, by {count}.",
  sentenceOutlier: "This model tells outliers from the rest, by {count}.",
  sentenceOther: "This model looks at {count}.",
  sentenceOutputs: "This model predicts several things at once, by {count}.",
  oneFeature: "one feature",
  manyFeatures: "{count} features",
  version: "version {version}",
  up: "Up and ready",
  down: "Not reachable",
  links: "On this page, and beyond",
  toRecord: "What do I send?",
  toAnswer: "What does the number mean?",
  toWhy: "Why this answer?",
  toCalls: "How do I call it from Python?",
  toReady: "Is it up?",
  toDocs: "API reference",
  toDescription: "OpenAPI",

  // The record.
  record: "The record",
  recordHint: "These are the features that the model takes. Change a value, and the answer follows.",
  example: "Example",
  clear: "All unknown",
  link: "Copy a link",
  linkBroken: "The link holds no record that can be read, so this is the example.",
  linkHint: "The link holds the record behind its #, which browsers send to no server.",
  copied: "Copied",
  notCopied: "Select the text and copy it",
  paste: "Paste a record",
  pasteLabel: "A record as JSON, or as a line of CSV",
  pasteHint: "A line of CSV has the values in the order of the features, or a header above it. Columns from a spreadsheet do, too.",
  pasteButton: "Fill the form",
  pasteDone: "The form has this record now.",
  pasteEmpty: "There is nothing to read yet.",
  pasteNoJson: "This is no JSON: {reason}",
  pasteNoRecord: "This JSON holds no record: it should be an object of features and values.",
  pasteNoRow: "There is a header, and no line of values after it.",
  pasteCells: "Values in a line: {cells}. Expected: {expected}.",
  search: "Find a feature",
  searchCount: "{count} of {total} features",
  groupRange: "{first} to {last}",
  groupOther: "Other features",
  optional: "optional",
  unknown: "unknown",
  unknownOf: "{feature} is unknown",
  unknownStandsIn: "unknown: counts as {value}",
  unknownMissing: "unknown: the model takes it as missing",
  standsIn: "Counts as {value}",
  standsMissing: "The model takes it as missing",
  emptyText: "an empty text",
  choose: "Choose\u2026",
  yes: "yes",
  no: "no",
  kinds: {
    numeric: "number",
    integer: "whole number",
    boolean: "yes or no",
    datetime: "date",
    category: "choice",
    string: "text",
  },
  outside: "Outside the training data, {low} to {high}",
  dropExtras: "Leave out what is no feature",

  // Faults.
  faults: "The service cannot take this record",
  faultAt: "{feature}: {detail}",
  noReason: "The service gives no reason.",
  otherModel: "The service has another model now than the one that this page shows.",
  showModel: "Show the new model, with this record",
  unreachable: "The service does not respond. It may be restarting.",

  // The answer.
  answer: "The answer",
  thinking: "Asking the model\u2026",
  thinkingAgain: "Asking the model\u2026 Until it responds, this is the answer to the record before.",
  stale: "This is still the answer to the record before.",
  saysClass: "The model says {label}, {probability}.",
  saysLabel: "The model says {label}.",
  saysScore: "The model says {label}, with a score of {score}.",
  saysAnyway: "The model says {label}, though {other} is more likely ({probability}).",
  saysNumber: "The model says {label}.",
  output: "Output {number}",
  ofOutput: "{output}: ",
  starts: {
    probability: "The probability of {name} starts from {base}, {background};",
    log_odds: "The log-odds of {name} start from {base}, which is {end}, {background};",
    margin: "The score of {name} starts from {base}, {background};",
    number: "It starts from {base}, {background};",
    converted: "It starts from {base}, which is {end}, {background};",
  },
  // By `explanation_background` of the model.
  backgroundOwn: {
    "training data": "the average of the data that the model was fitted with",
    "mean record": "the answer to the average record of the data that the model was fitted with",
    samples: "the average of the samples in its file",
  },
  backgroundKept: "the answer to the kept record",
  backgroundRows: "the average of the rows you gave",
  raisedMost: "the model\u2019s answer was raised most by {feature} ({change}),",
  raisedNothing: "nothing raised it,",
  loweredMost: "and lowered most by {feature} ({change}).",
  loweredAlone: "and it was lowered most by {feature} ({change}).",
  loweredNothing: "and nothing lowered it.",
  is: "{feature} = {value}",
  isUnknown: "{feature} unknown",
  change: "{change} {unit}",
  points: "points",
  units: {
    log_odds: "log-odds",
    margin: "of the score",
    prediction: "",
    log_prediction: "of the logarithm",
  },
  headings: {
    probability: "points",
    log_odds: "log-odds",
    margin: "score",
    prediction: "",
    log_prediction: "logarithm",
  },
  whichOutput: "Which output",
  target: "Explain",
  targetAuto: "what the model says",
  targetClass: "the class {name}",
  probabilities: "Probabilities",
  classHeading: "Class",
  probabilityHeading: "Probability",
  moreClasses: "{count} other classes",
  waterfall: "How the answer comes about",
  waterfallOf: "How the answer for {name} comes about",
  featureHeading: "Feature",
  effectHeading: "Effect",
  effectHeadingIn: "Effect, in {unit}",
  errorHeading: "within",
  start: "Start",
  result: "Answer",
  resultOf: "Answer for {name}",
  others: "{count} other features",
  showOthers: "Show",
  hideOthers: "Hide",
  raised: "raised",
  lowered: "lowered",
  unchanged: "did next to nothing",
  arithmetic: "It adds up",
  arithmeticNote: "The start, the effects from top to bottom, and the answer.",
  sampled: "These values are estimates: read each as itself, more or less by the number beside it.",
  meaning: "What do these numbers mean?",
  meanings: {
    probability: "The answer is a probability. Each effect is in percentage points, and they add up from the start to the answer.",
    log_odds: "The effects are log-odds: probabilities on a scale without ends. 0 is one half, more is above it, less is below. Add first, then convert: probability = 1 / (1 + exp(\u2212sum)). A single effect is no number of points, so the probability stands at both ends only.",
    margin: "The answer is the model\u2019s score, a number without a unit: the higher, the more it speaks for what is explained.",
    prediction: "The answer is the predicted number, and each effect has its unit.",
    log_prediction: "The effects add up to the logarithm of the predicted number, which stands at both ends.",
  },
  meaningAlone: {
    probability: "The answer is the class that the model says, and the probability that it gives to that class.",
    label: "The answer is the class that the model says. It has no probabilities.",
    score: "The answer is what the model says, with a score: below 0 it is an outlier, and the lower, the more so.",
    number: "The answer is the number that the model predicts, in the unit of what it was fitted to.",
    group: "The answer is the number of the group that the model puts the record into. A larger one is no more than a smaller one.",
  },
  meaningModel: "An effect says what raised or lowered the model\u2019s answer. It does not say what caused anything in the world.",
  meaningCompared: "The start is {background}. The effects lead from there to the answer for this record.",
  noExplanation: "There is no explanation",
  preparing: "The explanations are still being prepared.",

  // Background.
  background: "Compared with",
  backgroundChoice: {
    // What the model brings, by its `explanation_background`, and what a person may bring.
    "training data": "the data that the model was fitted with",
    "mean record": "the average record of the data that the model was fitted with",
    samples: "the samples in the model\u2019s file",
    kept: "the kept record",
    rows: "rows of my own",
  },
  backgroundRowsLabel: "Rows as a list of JSON, or as CSV with a header",
  backgroundUse: "Compare with these",
  backgroundCount: "{count} rows",
  backgroundHint: "Another background is another question: never compare effects from different ones. A classifier is then explained in probabilities.",
  backgroundFault: "Row {row}: {detail}",
  needsSamples: "This model is explained against rows that you bring.",

  // Comparison.
  keep: "Keep this answer, to compare",
  keepAgain: "Keep this one instead",
  drop: "Stop comparing",
  comparison: "What changed",
  comparisonHint: "Change a value now: this table says what that did to the answer.",
  comparisonSame: "Nothing has changed since you kept the answer.",
  comparisonSentence: "The answer for {name} went from {before} to {after} ({change}).",
  comparisonNumber: "The answer went from {before} to {after} ({change}).",
  comparisonLabel: "The answer went from {before} to {after}.",
  comparisonSameLabel: "The answer is {after}, as before.",
  comparisonOther: "What is explained has changed since then, so that the effects cannot be compared.",
  keptHeading: "Kept",
  nowHeading: "Now",
  differenceHeading: "Difference",
  differenceHeadingIn: "Difference, in {unit}",
  sameValue: "as before",
  back: "Back to the kept record",

  // What-if.
  whatIf: "What if?",
  whatIfOf: "What if {feature} were another?",
  whatIfSlider: "{feature}, from {low} to {high}",
  whatIfCurve: "{name} over the training range of {feature}: {least} to {most}.",
  whatIfLabels: "{name} over the training range of {feature}: {runs}.",
  whatIfRun: "{label} from {from} to {to}",
  whatIfMoreRuns: "and {count} more changes",
  whatIfData: "Below: how the values were distributed in training.",
  probabilityOf: "Probability of {name}",

  // Calls.
  calls: "Call it",
  callsHint: "This request, to copy. Change the form, and it changes.",
  callsKey: "The key is read from the variable API_KEY, so that it stands in no file.",
  languages: { curl: "curl", python: "Python", javascript: "JavaScript" },
  copy: "Copy",

  // Batch.
  batch: "A file of records",
  batchHint: "CSV with a header of the features. The file goes to the service and nowhere else.",
  batchDrop: "Drop a CSV here, or",
  batchChoose: "choose a file",
  batchBusy: "Predicting {name}\u2026",
  batchDone: "{count} answers for {name}. The first {shown} are here.",
  batchAll: "Answers for {name}: {count}.",
  batchDownload: "Download all answers",
  batchRow: "Row",
  batchFaults: "{name} was not predicted",
  batchCell: "Row {row}, column {column}: {detail}",
  batchLine: "Row {row}: {detail}",
  batchHeader: "Row 1 is the header.",
  batchTooLarge: "The file is larger than the {limit} MB that the service takes at once. For files of any size there is python -m python.score.",
  batchName: "answers-{name}",

  // Importances.
  importances: "What the model looks at",
  importancesHint: "The model\u2019s own importances, over all records. They do not say in which direction.",
  importanceHeading: "Importance",
  moreImportances: "{count} others",

  // The key.
  key: "This service asks for a key",
  keyHint: "It is kept in this tab, until you close it.",
  keyLabel: "API key",
  keyWrong: "This key was refused.",
  keyButton: "Open",
  keyForget: "Forget the key",
};

/** Return a sentence with its values. */
export function say(name, values) {
  return sayWith(name, values).join("");
}

/** Return a sentence as a list of texts and values, which may be elements. */
export function sayWith(name, values) {
  // "starts.probability" is a word among others of its kind.
  const sentence = name.split(".").reduce((group, key) => group[key], words);
  return sentence.split(/\{(\w+)\}/).map((piece, index) => (index % 2 ? values[piece] : piece));
}

/** Return the heading of a column, with its unit if it has one. */
export function sayHeading(name, unit) {
  return unit ? say(`${name}In`, { unit }) : words[name];
}

/** Return "3 features". */
export function countFeatures(count) {
  return count === 1 ? words.oneFeature : say("manyFeatures", { count });
}
