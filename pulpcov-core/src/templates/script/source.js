// A source page: which lines are marked, the way through them, and who ran a line.

/** @type {Record<string, string>} */
const KINDS = { r: "run", m: "missing", x: "excluded", p: "partial" };

/** @param {HTMLElement} main */
function sourceView(main) {
  const header = $(".toggles");
  const { name, page } = header.dataset;
  const lines = $$("ol > li", main);
  /** @type {Record<string, boolean>} */
  const filters = { r: false, m: true, x: true, p: true, ...memory.get("lines", {}) };
  const markOf = (/** @type {Element} */ item) => {
    const kind = item.className.charAt(0);
    if (!kind || kind === "s") return "";
    if (filters[kind]) return kind;
    return kind === "p" && filters.r ? "r" : "";
  };
  /** @type {{kind: string, from: number, to: number}[]} */
  let chunks = [];
  const marks = svg("svg", { class: "marks", "aria-hidden": "true", preserveAspectRatio: "none", viewBox: `0 0 10 ${Math.max(1, lines.length)}` });
  // The strip stands for a page that is longer than the window.
  if (lines.length > 60) document.body.append(marks);
  const recount = () => {
    chunks = [];
    /** @type {{kind: string, from: number, to: number} | null} */
    let last = null;
    lines.forEach((item, at) => {
      const kind = markOf(item);
      if (!kind) { last = null; return; }
      if (last?.kind === kind) last.to = at;
      else chunks.push((last = { kind, from: at, to: at }));
    });
    marks.replaceChildren(...Object.keys(KINDS).map((kind) => svg("path", {
      class: kind, d: chunks.filter((chunk) => chunk.kind === kind).map(({ from, to }) => `M2 ${from}h8v${to - from + 1}h-8z`).join(""),
    })));
  };
  const apply = () => {
    for (const button of $$("[data-toggle]", header)) {
      const kind = button.dataset.toggle;
      main.classList.toggle(kind, filters[kind]);
      button.setAttribute("aria-pressed", String(filters[kind]));
    }
    recount();
  };
  $$("[data-toggle]", header).forEach((button) => {
    button.onclick = () => {
      filters[button.dataset.toggle] = !filters[button.dataset.toggle];
      memory.set("lines", filters);
      apply();
    };
  });
  apply();
  const only = $("[data-only]", header);
  if (only) {
    only.onclick = () => {
      const isOnly = main.classList.toggle("only");
      only.setAttribute("aria-pressed", String(isOnly));
      marks.toggleAttribute("hidden", isOnly);
    };
  }

  // Lines that are chosen: `#t12`, `#t12-20`.
  /** @type {[number, number] | null} */
  let selection = null;
  const copy = make("button", { type: "button", className: "copy", hidden: true, "data-key": "y" });
  document.body.append(copy);
  const reference = () => `${name}:${selection[0]}${selection[1] > selection[0] ? `-${selection[1]}` : ""}`;
  const select = (/** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ scrolls) => {
    $$(".sel", main).forEach((item) => item.classList.remove("sel"));
    if (to < from) [from, to] = [to, from];
    to = Math.min(to, lines.length);
    selection = from >= 1 && from <= to ? [from, to] : null;
    copy.hidden = !selection;
    if (!selection) return;
    lines.slice(from - 1, to).forEach((item) => item.classList.add("sel"));
    copy.replaceChildren(`Copy ${reference()} `, make("kbd", {}, "y"));
    if (scrolls) show(from - 1);
  };
  const show = (/** @type {number} */ at, /** @type {ScrollLogicalPosition} */ block = "start") => {
    if (lines[at] && !lines[at].hasAttribute("data-new") && main.classList.contains("only")) only.click();
    scrollInSteps(() => lines[at]?.scrollIntoView({ block }));
  };
  const chosenPlace = () => (selection ? `t${selection[0]}${selection[1] > selection[0] ? `-${selection[1]}` : ""}` : "");
  const follow = (/** @type {boolean} */ scrolls) => {
    const match = /^#t(\d+)(?:-t?(\d+))?$/.exec(place.hash());
    if (match) select(Number(match[1]), Number(match[2] ?? match[1]), scrolls);
    else select(0, 0, false);
  };
  onPlace = () => {
    follow(!history.state);
    restorePosition();
  };
  anchorOf = () => {
    const top = headHeight();
    // The blocks of lines out of sight are passed over as a whole.
    const block = $$("ol", main).find((block) => block.getBoundingClientRect().bottom > top);
    const line = block && [...block.children].find((item) => item.getBoundingClientRect().bottom > top);
    return line ? { name: line.id, top: line.getBoundingClientRect().top } : { name: "", top: 0 };
  };
  elementOf = (name) => (name ? document.getElementById(name) : null);
  copy.onclick = async () => {
    const text = reference();
    try { await navigator.clipboard.writeText(text); } catch {
      const area = make("textarea", { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say(`Copied ${text}`);
  };
  copySource(main, lines);
  main.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const button = target.closest("button.ctx");
    if (button) { toggleContexts(button, page); return; }
    const number = target.closest("ol > li > a");
    if (!number || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const line = Number(number.textContent);
    const from = event.shiftKey && selection ? selection[0] : line;
    select(from, line, false);
    place.push(`#${chosenPlace()}`);
  });
  marks.addEventListener("click", (event) => {
    const box = marks.getBoundingClientRect();
    const at = Math.floor(((event.clientY - box.top) / box.height) * lines.length);
    show(Math.min(Math.max(at, 0), lines.length - 1), "center");
  });
  follow(!history.state);

  // `j` and `k` go from the chosen chunk, or from what is in sight.
  const headHeight = () => parseFloat(root.style.getPropertyValue("--top")) || 0;
  const current = () => (selection ? selection[0] - 1 : lines.findIndex((item) => item.getBoundingClientRect().top >= headHeight()) - 1);
  const goto = (/** @type {{kind: string, from: number, to: number} | undefined} */ chunk) => {
    if (!chunk) { say("No more"); return; }
    select(chunk.from + 1, chunk.to + 1, true);
    place.replace(`#${chosenPlace()}`);
    say(`Line ${chunk.from + 1}${chunk.to > chunk.from ? ` to ${chunk.to + 1}` : ""}, ${KINDS[chunk.kind]}`);
  };
  Object.assign(keys, {
    j: () => { const at = selection ? selection[1] - 1 : current(); goto(chunks.find((chunk) => chunk.from > at)); },
    k: () => { const at = current(); goto(chunks.findLast((chunk) => chunk.to < at)); },
    0: () => { select(0, 0, false); place.replace(""); scrollTo(0, 0); },
    1: () => goto(chunks[0]),
  });
  goToLine = (line) => {
    if (!lines.length) return;
    select(line, line, true);
    place.push(`#t${line}`);
  };
}

/**
 * Shows below a line who ran it, or hides it. The reader finds a context by typing.
 * @param {Element} button
 * @param {string} page
 */
async function toggleContexts(button, page) {
  const item = button.closest("li");
  const open = $(".who", item);
  const close = () => {
    $(".who", item)?.remove();
    button.setAttribute("aria-expanded", "false");
    /** @type {HTMLElement} */ (button).focus({ preventScroll: true });
  };
  if (open) { close(); return; }
  const [names, data] = await Promise.all([load("contexts"), contextsOf(page)]);
  if ($(".who", item)) return;
  const kind = data.classOf.get(Number(item.id.slice(1)));
  /** @type {string[]} */
  const found = [...data.byContext].filter(([, classes]) => classes.includes(kind)).map(([context]) => names[context]);
  const list = make("ul");
  const filter = make("input", { type: "search", placeholder: `find in ${plural(found.length, "context")}…`, "aria-label": "Find a context" });
  const fill = () => {
    const text = filter.value.toLowerCase();
    const some = found.filter((name) => name.toLowerCase().includes(text));
    list.replaceChildren(...some.slice(0, 500).map((name) => make("li", {}, make("a", { href: `contexts.html#c=${encodeURIComponent(name)}` }, name))));
    if (some.length > 500) list.append(make("li", {}, `and ${thousands(some.length - 500)} more`));
  };
  filter.oninput = debounce(fill);
  fill();
  const panel = make("div", { className: "who" }, found.length > 8 ? filter : null,
    make("button", { type: "button", "data-close": "", onclick: close }, "Close"), list);
  item.append(panel);
  button.setAttribute("aria-expanded", "true");
  (found.length > 8 ? filter : $("a", list))?.focus({ preventScroll: true });
}
