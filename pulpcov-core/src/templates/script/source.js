// A source page: which lines are marked, the way through them, and who ran a line.

/** @type {Record<string, string>} */
const KINDS = { r: "run", m: "missing", x: "excluded", p: "partial" };

/** @param {HTMLElement} main */
function sourceView(main) {
  const header = $(".toggles");
  const { name, page } = header.dataset;
  const lines = new Lines(main);
  const { count } = lines;
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
  const marks = svg("svg", { class: "marks", "aria-hidden": "true", preserveAspectRatio: "none", viewBox: `0 0 10 ${Math.max(1, count)}` });
  // The strip stands for a page that is longer than the window.
  if (count > 60) document.body.append(marks);
  let counting = 0;
  const recount = async () => {
    const ticket = ++counting;
    /** @type {{kind: string, from: number, to: number}[]} */
    const found = [];
    let at = 0;
    for await (const block of lines.filled()) {
      if (ticket !== counting) return;
      for (const item of block.children) {
        const kind = markOf(item);
        const last = found.at(-1);
        if (kind && last?.kind === kind && last.to === at - 1) last.to = at;
        else if (kind) found.push({ kind, from: at, to: at });
        at++;
      }
    }
    if (at < count) return;
    main.dataset.complete = "";
    chunks = found;
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
      lines.fillAll();
      const isOnly = main.classList.toggle("only");
      only.setAttribute("aria-pressed", String(isOnly));
      marks.toggleAttribute("hidden", isOnly);
    };
  }

  // Lines that ran in one version only: a button goes to the next one.
  $$("[data-was]", header).forEach((button) => {
    button.onclick = () => {
      lines.fillAll();
      const from = selection?.[1] ?? 0;
      const all = $$(`li[data-was^=${button.dataset.was}]`, main).map((item) => Number(item.id.slice(1)));
      const line = all.find((line) => line > from) ?? all[0];
      goToLine(line);
      say(`Line ${line}, ${button.dataset.was}`);
    };
  });

  // Lines that are chosen: `#t12`, `#t12-20`.
  /** @type {[number, number] | null} */
  let selection = null;
  const forge = $("#forge");
  const copy = make("button", { type: "button", hidden: true, "data-key": "y" });
  const copyTests = make("button", { type: "button", hidden: true, "data-key": "t" });
  document.body.append(make("div", { className: "copy" }, copyTests, copy));
  const reference = () => `${name}:${selection[0]}${selection[1] > selection[0] ? `-${selection[1]}` : ""}`;
  const select = (/** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ scrolls) => {
    $$(".sel", main).forEach((item) => item.classList.remove("sel"));
    if (to < from) [from, to] = [to, from];
    to = Math.min(to, count);
    selection = from >= 1 && from <= to ? [from, to] : null;
    copy.hidden = !selection;
    offerTests();
    // The link to the source on a website leads to the chosen line.
    if (forge) forge.href = forge.dataset.url.replaceAll("{line}", String(selection?.[0] ?? 1));
    if (!selection) return;
    for (let at = from - 1; at < to; at++) lines.at(at).classList.add("sel");
    copy.replaceChildren(`Copy ${reference()} `, make("kbd", {}, "y"));
    if (scrolls) show(from - 1);
  };
  // The tests that ran the chosen lines, as a command.
  const offerTests = async () => {
    copyTests.hidden = true;
    if (!selection || !hasContexts()) return;
    const [from, to] = selection;
    const nodes = nodesOf(await contextsOfLines(page, from, to));
    if (!nodes.length || selection?.[0] !== from || selection[1] !== to) return;
    copyTests.replaceChildren(`Copy pytest command of ${plural(nodes.length, "test")} `, make("kbd", {}, "t"));
    copyTests.onclick = () => copyText(pytestCommand(nodes));
    copyTests.hidden = false;
  };
  const show = (/** @type {number} */ at, /** @type {ScrollLogicalPosition} */ block = "start") => {
    const line = lines.at(at);
    if (line && !line.hasAttribute("data-new") && main.classList.contains("only")) only.click();
    scrollInSteps(() => line?.scrollIntoView({ block }));
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
    const block = lines.blocks.find((block) => block.getBoundingClientRect().bottom > top);
    if (block) lines.fill(block);
    const line = block && [...block.children].find((item) => item.getBoundingClientRect().bottom > top);
    return line ? { name: line.id, top: line.getBoundingClientRect().top } : noAnchor();
  };
  copy.onclick = () => { if (selection) copyText(reference()); };
  elementOf = (name) => (/^t\d+$/.test(name) ? lines.at(Number(name.slice(1)) - 1) : elementById(name));
  markChosen(main, header, page, lines);
  copySource(main, lines);
  // The browser's own search and paper have all lines.
  addEventListener("beforeprint", () => lines.fillAll(), { signal: pageEnd.signal });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "f") lines.fillAll();
  }, { signal: pageEnd.signal });
  showOutline(header, () => Number(anchorOf().name.slice(1)) || 1);
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
    const at = Math.floor(((event.clientY - box.top) / box.height) * count);
    show(Math.min(Math.max(at, 0), count - 1), "center");
  });
  goThere = () => follow(true);
  follow(!history.state);

  // `j` and `k` go from the chosen chunk, or from what is in sight.
  const headHeight = () => parseFloat(root.style.getPropertyValue("--top")) || 0;
  const current = () => (selection ? selection[0] - 1 : Number(anchorOf().name.slice(1)) - 2);
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
    if (!count) return;
    select(line, line, true);
    place.push(`#t${line}`);
  };
}

/**
 * Shows the function or the class at the top of the window, and closes the outline when a line was chosen in it.
 * @param {HTMLElement} header
 * @param {() => number} lineAtTop
 */
function showOutline(header, lineAtTop) {
  const outline = $(".outline", header);
  if (!outline) return;
  const here = $("#here");
  const entries = $$("li a", outline).map((link) => ({ link, from: Number(link.hash.slice(2)), to: Number(link.dataset.to) }));
  const update = () => {
    if (!here.isConnected) return;
    const line = lineAtTop();
    // Inner functions come after the outer one.
    const entry = scrollY > 0 && entries.findLast(({ from, to }) => from <= line && line <= to);
    here.hidden = !entry;
    if (!entry || here.hash === entry.link.hash) return;
    here.textContent = entry.link.textContent;
    here.href = entry.link.getAttribute("href");
  };
  let isWaiting = false;
  addEventListener("scroll", () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => { isWaiting = false; update(); });
  }, { passive: true, signal: pageEnd.signal });
  outline.addEventListener("click", (/** @type {Event} */ event) => {
    if (/** @type {Element} */ (event.target).closest("a")) outline.open = false;
  });
  document.addEventListener("click", (event) => {
    if (!outline.contains(/** @type {Node} */ (event.target))) outline.open = false;
  }, { signal: pageEnd.signal });
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
    make("button", { type: "button", "data-close": performance.now(), onclick: close }, "Close"), list);
  item.append(panel);
  button.setAttribute("aria-expanded", "true");
  (found.length > 8 ? filter : $("a", list))?.focus({ preventScroll: true });
}
