/** Numbers as people read them: percent, points, log-odds, arithmetic. */

import { words } from "./words.js";

const NARROW_SPACE = "\u202f"; // where no line ends
const MINUS = "\u2212";
const ARITHMETIC_DIGITS = [4, 3, 5, 6, 7];

export function sigmoid(number) {
  return 1 / (1 + Math.exp(-number));
}

/** Return a number with so many decimals, and a real minus sign. */
export function fixed(number, digits) {
  const text = number.toLocaleString(words.locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return isZero(text) ? text.replace("-", "") : text.replace("-", MINUS);
}

function isZero(text) {
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
  return (shown === 0 && value > 0) || (shown === 100 && value < 100);
}

/** Return with how many decimals numbers of this size are shown: four significant digits. */
export function digitsFor(size) {
  if (!(size > 0)) return 2;
  return Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(size))));
}

/** Return any number, as short as it can be said. */
export function plain(number) {
  const text = number.toLocaleString(words.locale, {
    maximumSignificantDigits: 6,
    useGrouping: false,
  });
  return text.replace("-", MINUS);
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
