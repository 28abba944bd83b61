// The start of a page, and the pages of a single file.

/**
 * Goes to a page of the report, or to a place in this one.
 * @param {string} href
 */
function visit(href) {
  keepPosition();
  const to = isSingle ? single.address(href) : href;
  if (to === location.hash) goThere?.();
  else if (to.startsWith("#")) location.hash = to;
  else location.href = to;
}

/** Ends the page that is shown. */
function leave() {
  document.body.removeAttribute("data-shown");
  keys = {};
  onPlace = goToLine = goThere = document.oncopy = null;
  pageEnd.abort();
  pageEnd = new AbortController();
  anchorOf = noAnchor;
  elementOf = elementById;
  $$(".marks, .copy").forEach((element) => element.remove());
}

function start() {
  const main = $("#main");
  if (!main) return;
  $$(".tools").forEach((tools) => { tools.hidden = false; });
  $("[data-do=search]").onclick = search;
  $("[data-do=help]").onclick = help;
  $("[data-do=theme]").onclick = nextTheme;
  applyTheme();
  const head = $(".top");
  const measure = () => root.style.setProperty("--top", getComputedStyle(head).position === "sticky" ? `${head.offsetHeight}px` : "0px");
  // It measures before the page is drawn, and not before the view has replaced what is there without a script.
  new ResizeObserver(measure).observe(head);
  const view = document.body.dataset.view;
  /** @type {Record<string, (main: HTMLElement, view: string) => any>} */
  const views = { index: listView, function_index: listView, class_index: listView, tree: treeView, worst: worstView, contexts: contextsView, source: sourceView, patch: changesView };
  Promise.resolve().then(() => views[view]?.(main, view)).then(() => {
    if (!main.isConnected) return;
    restorePosition();
    document.body.dataset.shown = "";
    main.dataset.ready = "";
    performance.mark("ready");
  }).catch((error) => {
    main.prepend(make("p", { className: "note", role: "alert" }, `Part of the report is missing: ${error.message}.`));
    throw error;
  });
}

/** A single file: its pages are text that becomes elements when it is shown, and `#page.html:t12` says which one is shown. */
const single = {
  /** @type {Map<string, any>} */
  parts: new Map(),
  page: "",
  /** Counts the pages that were asked for. */
  turn: 0,
  async follow() {
    const [, page] = /^#?([^:]*?)(?:\.html)?(?::.*)?$/s.exec(location.hash) ?? [];
    const name = single.parts.has(page) ? page : "index";
    if (name === single.page) { onPlace?.(); return; }
    single.page = name;
    leave();
    const turn = ++single.turn;
    const part = single.parts.get(name);
    const text = await textOf(part);
    if (turn !== single.turn) return;
    $$("body > :not(script):not(noscript)").forEach((element) => element.remove());
    document.body.dataset.view = part.dataset.view;
    document.title = part.dataset.title;
    // As in a page of its own, most of a long source stays text.
    const [head, ...blocks] = text.split("<noscript><ol>");
    document.body.prepend(make("template", { innerHTML: head }).content);
    $("#main").append(...blocks.map((block) => make("noscript", {}, `<ol>${block}`)));
    if (!history.state) scrollTo(0, 0);
    start();
  },
  /**
   * Returns the address in this file of a page or of a place.
   * @param {string} href
   */
  address(href) {
    if (/^#[^:]+\.html(:|$)/.test(href)) return href;
    const [page, hash] = href.split("#");
    return `#${page || `${single.page}.html`}${hash ? `:${hash}` : ""}`;
  },
  start() {
    $$("script[data-page]").forEach((part) => single.parts.set(part.dataset.page, part));
    // The address of a link is that of the place in this file, for those who open it elsewhere or copy it.
    for (const kind of ["pointerdown", "contextmenu", "focusin"]) {
      addEventListener(kind, (event) => {
        const link = /** @type {Element} */ (event.target).closest?.("a[href]");
        if (link && /^[^#:]+\.html(#|$)/.test(link.getAttribute("href"))) link.setAttribute("href", single.address(link.getAttribute("href")));
      }, { capture: true });
    }
    addEventListener("click", (event) => {
      const href = /** @type {Element} */ (event.target).closest?.("a[href]")?.getAttribute("href");
      // Other websites are left to the browser.
      if (!href || /^[a-z][a-z+.-]*:/i.test(href) || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
      event.preventDefault();
      if (/^#[a-z]+$/.test(href)) { $(href)?.focus(); return; }
      visit(href);
    });
    single.follow();
  },
};

addEventListener("hashchange", () => { if (isSingle) single.follow(); else onPlace?.(); });
document.addEventListener("DOMContentLoaded", () => (isSingle ? single.start() : start()));
