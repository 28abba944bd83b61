// Elements, text, and what the browser remembers.
const root = document.documentElement;

/**
 * Returns the first element that matches.
 * @param {string} selector
 * @param {ParentNode} [from]
 * @returns {any}
 */
const $ = (selector, from = document) => from.querySelector(selector);

/**
 * Returns all elements that match.
 * @param {string} selector
 * @param {ParentNode} [from]
 * @returns {any[]}
 */
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

/**
 * Makes an element with properties, attributes (`aria-…`, `data-…`, `role`) and children.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
function make(tag, properties = {}, ...children) {
  /** @type {any} */
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && !name.includes("-")) element[name] = value;
    else if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * Makes an element of a picture.
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...Node} children
 * @returns {SVGElement}
 */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

const isSingle = root.hasAttribute("data-single");

/** What is remembered: the theme of all reports, and the rest for each report. A browser may refuse to remember for files. */
const memory = {
  // All reports that are opened from disk have the same origin.
  report: isSingle ? location.pathname : location.pathname.replace(/[^/]*$/, ""),
  /** @param {string} key */
  name(key) {
    return key === "theme" ? "pulpcov.theme" : `pulpcov.${memory.report}.${key}`;
  },
  /**
   * @param {string} key
   * @param {any} other What is returned if nothing is remembered.
   */
  get(key, other) {
    try {
      return JSON.parse(localStorage.getItem(memory.name(key))) ?? other;
    } catch {
      return other;
    }
  },
  /**
   * @param {string} key
   * @param {any} value
   */
  set(key, value) {
    try {
      localStorage.setItem(memory.name(key), JSON.stringify(value));
    } catch {
      // The browser does not remember.
    }
  },
};

/**
 * Returns a function that works when it has not been called for some time.
 * @param {() => void} work
 * @param {number} [wait] Milliseconds.
 */
function debounce(work, wait = 60) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, wait);
  };
}

/** Lets the browser draw and answer. It is called between parts of long work. */
const rest = () => new Promise((resolve) => {
  const channel = new MessageChannel();
  channel.port1.onmessage = resolve;
  channel.port2.postMessage(null);
});

/** How long work goes on without a rest, in milliseconds. */
const SLICE = 6;

/** Tells long work when to rest. */
class Pace {
  constructor() {
    this.start = performance.now();
  }
  /** Rests if the work went on for long. */
  async step() {
    if (performance.now() - this.start < SLICE) return;
    await rest();
    this.start = performance.now();
  }
}

/**
 * Tells users of screen readers what happened.
 * @param {string} text
 */
function say(text) {
  $(".say")?.remove();
  document.body.append(make("div", { className: "say", role: "status" }, text));
}

/**
 * Copies a text, and says so.
 * @param {string} text
 */
async function copyText(text) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = make("textarea", { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`Copied ${text}`);
}

/**
 * Shows characters that are invisible, or turn text around, as their numbers. Source that is searched is as it was written.
 * @param {string} text
 */
const visible = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  (c) => `[U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

const withCommas = new Intl.NumberFormat("en");
const thousands = (/** @type {number} */ number) => (number < 1000 ? String(number) : withCommas.format(number));

/**
 * @param {number} count
 * @param {string} noun
 * @param {string} [nouns]
 */
const plural = (count, noun, nouns = `${noun}s`) => `${thousands(count)} ${count === 1 ? noun : nouns}`;
