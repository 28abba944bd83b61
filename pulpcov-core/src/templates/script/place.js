// Where the reader is: the page, what it shows, and how far it is scrolled. The address has it, so Back and links lead there.

/** The fragment of the page's own address, or in a single file what follows the name of the page. */
const place = {
  hash() {
    if (!isSingle) return location.hash;
    const colon = location.hash.indexOf(":");
    return colon < 0 ? "" : `#${location.hash.slice(colon + 1)}`;
  },
  /** @param {string} hash */
  full(hash) {
    const inner = hash.replace(/^#/, "");
    if (isSingle) return `#${single.page}.html${inner && `:${inner}`}`;
    return inner ? `#${inner}` : location.pathname + location.search;
  },
  /**
   * Changes the address. The step before is not kept.
   * @param {string} hash
   */
  replace(hash) {
    history.replaceState(history.state, "", place.full(hash));
  },
  /**
   * Makes a step that Back takes back.
   * @param {string} hash
   */
  push(hash) {
    if (place.full(hash) === place.full(place.hash())) return;
    keepPosition();
    history.pushState(null, "", place.full(hash));
  },
};

/** What a list shows, as its address says: `#filter=cart&sort=missing`. */
const settings = {
  read() {
    const hash = place.hash().slice(1);
    return new URLSearchParams(hash.includes("=") ? hash : "");
  },
  /**
   * Changes some settings. Those that are empty are left out of the address.
   * @param {Record<string, string | undefined>} changed
   * @param {boolean} [isStep] Whether Back takes the change back.
   */
  write(changed, isStep = false) {
    const all = settings.read();
    for (const [name, value] of Object.entries(changed)) {
      if (value) all.set(name, value);
      else all.delete(name);
    }
    if (isStep) place.push(all.toString());
    else place.replace(all.toString());
  },
};

const noAnchor = () => ({ name: "", top: 0 });
const elementById = (/** @type {string} */ name) => (name ? document.getElementById(name) : null);
/** Of the view: returns the name of the element at the top of the window, and where it is. */
let anchorOf = noAnchor;
/** Of the view: returns the element of such a name. A list adds it to the document if it is not there yet. */
let elementOf = elementById;

/** Keeps in the history how far the page is scrolled, and what has the focus. */
function keepPosition() {
  if (!document.body.hasAttribute("data-shown")) return;
  const { name, top } = anchorOf();
  const focused = /** @type {HTMLElement} */ (document.activeElement);
  const focus = $("#main")?.contains(focused) ? nameOf(focused) : "";
  history.replaceState({ y: scrollY, name, top, focus }, "");
}

/** @param {HTMLElement} element */
function nameOf(element) {
  const row = /** @type {HTMLElement} */ (element.closest("[data-row]"));
  if (row) return `row${row.dataset.row}`;
  return element.id;
}

/**
 * Gives the focus to an element, or to the first in it that can have it.
 * @param {HTMLElement} element
 */
function focusOn(element) {
  (element.matches("a, button, input, [tabindex]") ? element : $("a, button", element))?.focus({ preventScroll: true });
}

/** Goes to where the page was when it was left. */
function restorePosition() {
  const kept = history.state;
  if (!kept || typeof kept.y !== "number") return;
  const focused = elementOf(kept.focus);
  if (focused) focusOn(focused);
  const anchor = elementOf(kept.name);
  scrollTo(0, kept.y);
  if (!anchor) return;
  scrollInSteps(() => scrollBy(0, anchor.getBoundingClientRect().top - kept.top));
}

/**
 * Scrolls by steps. Blocks that were out of sight had guessed heights, and get their own after a frame.
 * @param {() => void} step
 */
function scrollInSteps(step) {
  let left = 3;
  const again = () => {
    step();
    if (left-- > 0) requestAnimationFrame(again);
  };
  again();
}

history.scrollRestoration = "manual";
addEventListener("pagehide", keepPosition);
addEventListener("scroll", debounce(keepPosition, 250), { passive: true });
addEventListener("focusin", debounce(keepPosition, 250));
