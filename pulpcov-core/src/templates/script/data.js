// The data of the report: of the page itself in a single file, else of a script of the folder.
/** @type {Map<string, any>} */
const arrived = new Map();
/** @type {Map<string, {promise?: Promise<any>, resolve?: (value: any) => void, reject?: (error: Error) => void}>} */
const expected = new Map();

/** @type {any} */ (window).pulpcov = (/** @type {string} */ name, /** @type {any} */ value) => {
  arrived.set(name, value);
  expected.get(name)?.resolve(value);
};

/**
 * Returns the text of an element of a single file, which may be compressed.
 * @param {Element} element
 */
async function textOf(element) {
  if (!element.hasAttribute("data-packed")) return element.textContent;
  const packed = atob(element.textContent);
  const bytes = new Uint8Array(packed.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = packed.charCodeAt(at);
  const whole = new ReadableStream({ start: (stream) => { stream.enqueue(bytes); stream.close(); } });
  const reader = whole.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value, { stream: true });
  return text;
}

/**
 * Loads data once.
 * @param {string} name
 * @param {string} [file]
 * @returns {Promise<any>}
 */
function load(name, file = `data.${name}.js`) {
  if (arrived.has(name)) return Promise.resolve(arrived.get(name));
  if (expected.has(name)) return expected.get(name).promise;
  /** @type {{promise?: Promise<any>, resolve?: (value: any) => void, reject?: (error: Error) => void}} */
  const entry = {};
  entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
  expected.set(name, entry);
  const inside = $(`script[data-name="${name}"]`);
  if (inside) {
    textOf(inside).then((text) => {
      /** @type {any} */ (window).pulpcov(name, JSON.parse(text));
      inside.remove();
    }).catch(entry.reject);
  } else if (isSingle) {
    entry.reject(new Error(`no ${name}`));
  } else {
    const script = make("script", { src: file });
    script.onerror = () => entry.reject(new Error(`${file} cannot be read`));
    document.head.append(script);
  }
  return entry.promise;
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const digitOf = new Uint8Array(128);
[...digits].forEach((digit, value) => { digitOf[digit.charCodeAt(0)] = value; });

/**
 * Reads numbers of five bits a character. The sixth bit says that more follow.
 * @param {string} text
 */
function numbers(text) {
  const all = [];
  let number = 0;
  let scale = 1;
  for (let at = 0; at < text.length; at++) {
    const digit = digitOf[text.charCodeAt(at)];
    number += (digit % 32) * scale;
    if (digit >= 32) { scale *= 32; continue; }
    all.push(number);
    number = 0;
    scale = 1;
  }
  return all;
}

/**
 * Prints a percentage as coverage.py does: only nothing is 0, and only everything is 100; half goes to even.
 * @param {number} covered
 * @param {number} all
 * @param {number} precision
 */
function percent(covered, all, precision) {
  let value = all ? (100 * covered) / all : 100;
  const near = 1 / 10 ** precision;
  if (value > 0 && value < near) value = near;
  else if (value > 100 - near && value < 100) value = 100 - near;
  const scaled = value * 10 ** precision;
  const isTie = Number.isInteger(value * 2 ** (precision + 1)) && scaled % 1 === 0.5;
  return isTie ? ((Math.floor(scaled / 2 + 0.5) * 2) / 10 ** precision).toFixed(precision) : value.toFixed(precision);
}

const natural = new Intl.Collator("en", { numeric: true }).compare;

/**
 * Returns the place of each name among all. Each name is compared once.
 * @param {string[]} names
 */
function ranks(names) {
  const order = new Map([...new Set(names)].sort(natural).map((name, at) => [name, at]));
  return names.map((name) => order.get(name));
}

/**
 * Returns the folders that all names start with, with the last `/`.
 * @param {string[]} names
 */
function commonFolder(names) {
  if (names.length < 2) return "";
  let common = names[0];
  for (const name of names) {
    while (!name.startsWith(common)) common = common.slice(0, -1);
    if (!common) break;
  }
  return common.slice(0, Math.max(common.lastIndexOf("/"), common.lastIndexOf("\\")) + 1);
}

/**
 * @typedef {object} Table The numbers of files or regions: a list of each, with a number a row.
 * @property {number[]} statements
 * @property {number[]} missing
 * @property {number[]} excluded
 * @property {number[]} branches
 * @property {number[]} partial
 * @property {number[]} missing_branches
 * @property {number[]} [changed] The number of changed lines.
 * @property {([number, number] | null)[]} [before] What was covered before, and how much there was. `null` is new.
 * @property {any} totals
 * @property {string[]} notes
 * @property {string[]} name
 * @property {number[]} [file] The row of the file that a region is in.
 * @property {number[]} [line] The first line of a region.
 */

/** @typedef {"statements" | "missing" | "excluded" | "branches" | "partial" | "missing_branches"} Count */
/** @type {Count[]} */
const counts = ["statements", "missing", "excluded", "branches", "partial", "missing_branches"];
/** @type {(table: Table, row: number) => number} */
const executed = (table, row) => table.statements[row] - table.missing[row];
/** @type {(table: Table, row: number) => number} */
const taken = (table, row) => table.branches[row] - table.missing_branches[row];
/** @type {(covered: number, all: number) => number} */
const ratio = (covered, all) => (all ? covered / all : 1);

/**
 * Fills a cell with a percentage and its bar.
 * @param {HTMLElement} cell
 * @param {number} covered
 * @param {number} all
 * @param {number} precision
 * @param {string} [nothing] What is said if there is nothing to cover.
 */
function coverCell(cell, covered, all, precision, nothing) {
  if (!all && nothing) {
    cell.textContent = nothing;
    cell.classList.add("none");
    return;
  }
  cell.textContent = `${percent(covered, all, precision)}%`;
  cell.style.setProperty("--p", String(all ? (100 * covered) / all : 100));
}
