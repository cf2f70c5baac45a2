/** Numbers as people read them: percent, points, log-odds, arithmetic. */

import { words } from "./words.js";

const NARROW_SPACE = "\u202f"; // where no line ends
const MINUS = "\u2212";
const LARGEST = 1e15; // numbers of this size and more, and smaller ones than the least, have a power
const LEAST = 1e-4;
const SUPERSCRIPTS = { "-": "\u207b", 0: "\u2070", 1: "\u00b9", 2: "\u00b2", 3: "\u00b3", 4: "\u2074", 5: "\u2075", 6: "\u2076", 7: "\u2077", 8: "\u2078", 9: "\u2079" };
const SIGNIFICANT_DIGITS = 6;
const CERTAIN = 5e-7; // of a hundred: six digits write as 100 what is nearer to it
const THOUSANDS = /\B(?=(?:\d{3})+$)/g; // where they end
const ARITHMETIC_DIGITS = [4, 3, 5, 6, 7];

export function sigmoid(number) {
  return 1 / (1 + Math.exp(-number));
}

/**
 * Return a number with so many decimals, and a real minus sign.
 *
 * It is not `toLocaleString`: the first call of that takes a browser 60 milliseconds, and it rounds
 * otherwise than the `toFixed` by which sums are checked.
 */
export function fixed(number, digits) {
  const [whole, decimals = ""] = Math.abs(number).toFixed(digits).split(".");
  const text = whole.replace(THOUSANDS, words.groupMark) + (decimals && words.decimalMark) + decimals;
  return number < 0 && !isZero(text) ? MINUS + text : text;
}

export function isZero(text) {
  return !/[1-9]/.test(text);
}

export function signed(number, digits) {
  const text = fixed(number, digits);
  return text.startsWith(MINUS) || isZero(text) ? text : `+${text}`;
}

/** Return a probability in percent; what is not quite 0 or 1 is not written as if it were. */
export function percent(probability) {
  const value = probability * 100;
  let digits = 1;
  while (digits < 6 && looksCertain(value, digits)) digits += 1;
  return `${fixed(value, digits)}${NARROW_SPACE}%`;
}

function looksCertain(value, digits) {
  const shown = Number(value.toFixed(digits));
  return (shown === 0 && value > CERTAIN) || (shown === 100 && value < 100 - CERTAIN);
}

/** Return with how many decimals numbers of this size are shown: four significant digits. */
export function digitsFor(size) {
  if (!(size > 0)) return 2;
  return Math.min(7, Math.max(0, 3 - Math.floor(Math.log10(size))));
}

/** Return the power of ten by which numbers of this size are divided to be read, and its text. */
export function powerFor(size) {
  if (!(size > 0) || (size >= LEAST && size < LARGEST)) return { power: 1, suffix: "" };
  const exponent = Math.floor(Math.log10(size));
  const raised = [...String(exponent)].map((character) => SUPERSCRIPTS[character]).join("");
  return { power: 10 ** exponent, suffix: `${NARROW_SPACE}\u00d7${NARROW_SPACE}10${raised}` };
}

/** Return any number, as short as it can be said: six digits, and all of those before the point. */
export function plain(number) {
  const size = Math.abs(number);
  const { power, suffix } = powerFor(size);
  const wholeDigits = suffix ? 1 : Math.floor(Math.log10(Math.max(size, 1))) + 1;
  const digits = Math.max(SIGNIFICANT_DIGITS, wholeDigits);
  const text = String(Number((size / power).toPrecision(digits))).replace(".", words.decimalMark);
  return `${number < 0 ? MINUS : ""}${text}${suffix}`;
}

/** Return a change by any number, with its sign. */
export function plainChange(number) {
  return number > 0 ? `+${plain(number)}` : plain(number);
}

/**
 * Return a sum, such as `0.51 + 0.16 − 0.02 = 0.65`, in which the rounded numbers add up.
 *
 * Where they do with no number of decimals that can be read, the sign says that they are rounded.
 */
export function arithmetic(terms, sum, size) {
  const least = Math.max(0, digitsFor(size) - 4);
  for (const more of ARITHMETIC_DIGITS) {
    const digits = size > 10 ? digitsFor(size) + more - 4 : least + more;
    const total = terms.reduce((all, term) => all + round(term, digits), 0);
    if (round(total, digits) === round(sum, digits)) {
      return write(terms, sum, digits, "=");
    }
  }
  return write(terms, sum, size > 10 ? digitsFor(size) : 4, "\u2248");
}

function round(number, digits) {
  return Number(number.toFixed(digits));
}

function write(terms, sum, digits, sign) {
  const [first, ...others] = terms;
  let text = fixed(first, digits);
  for (const term of others) {
    const operator = term < 0 ? MINUS : "+";
    text += ` ${operator} ${fixed(Math.abs(term), digits)}`;
  }
  return `${text} ${sign} ${fixed(sum, digits)}`;
}
