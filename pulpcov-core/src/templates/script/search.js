// Search, from every page: files, functions, classes, contexts, and the source.

/** How many lines of source are found at most. */
const MOST_LINES = 300;
/** How many names of each kind are shown. */
const MOST_NAMES = 25;

/**
 * Reads what is typed: words in any order, `is:missing` and `is:partial`, and `path:line`.
 * @param {string} text
 */
function readQuery(text) {
  const words = text.split(/\s+/).filter(Boolean);
  const states = words.filter((word) => /^is:(missing|partial)$/.test(word)).map((word) => word.slice(3));
  const rest = words.filter((word) => !/^is:/.test(word));
  const isExact = text !== text.toLowerCase();
  const line = /^(.*?):(\d+)(?:-(\d+))?$/.exec(text.trim());
  return { words: rest, states, isExact, line: line && { path: line[1], from: Number(line[2]), to: Number(line[3] ?? line[2]) } };
}

/**
 * Returns where words are in a text, or `null` if one is not.
 * @param {string} text
 * @param {string[]} words
 * @param {boolean} isExact
 * @returns {[number, number][] | null}
 */
function placesOf(text, words, isExact) {
  const within = isExact ? text : text.toLowerCase();
  /** @type {[number, number][]} */
  const places = [];
  for (const word of words) {
    const at = within.lastIndexOf(word);
    if (at < 0) return null;
    places.push([at, at + word.length]);
  }
  return places.sort((a, b) => a[0] - b[0]);
}

/**
 * Returns a text whose places are marked.
 * @param {string} text
 * @param {[number, number][]} places
 */
function marked(text, places) {
  const parts = [];
  let last = 0;
  for (const [from, to] of places) {
    if (from < last) continue;
    parts.push(visible(text.slice(last, from)), make("mark", {}, visible(text.slice(from, to))));
    last = to;
  }
  parts.push(visible(text.slice(last)));
  return parts;
}

async function search() {
  if ($("dialog[open]")) return;
  const input = make("input", { type: "search", placeholder: "file, function, class, context or text; path:line; is:missing", "aria-label": "Search", role: "combobox", "aria-expanded": "true", "aria-controls": "found", "aria-autocomplete": "list", autocomplete: "off", spellcheck: false });
  const list = make("ul", { className: "found", id: "found", role: "listbox", "aria-label": "Results" });
  const state = make("p", { className: "state", role: "status" });
  const dialog = make("dialog", { className: "search", "aria-label": "Search" }, input, list, state);
  document.body.append(dialog);
  dialog.onclose = () => dialog.remove();
  dialog.onclick = (/** @type {Event} */ event) => { if (event.target === dialog) dialog.close(); };
  dialog.showModal();
  const [files, functions, classes, contexts] = await Promise.all([load("files"), load("functions"), load("classes"), hasContexts() ? load("contexts") : []]);
  /** @type {Map<string, number>} */
  const rowOf = new Map(files.page.map((/** @type {string} */ page, /** @type {number} */ row) => [page, row]));
  let ticket = 0;
  let searched = "";
  let chosen = -1;
  const choose = (/** @type {number} */ at) => {
    const items = [...list.children];
    items[chosen]?.setAttribute("aria-selected", "false");
    chosen = items.length ? (at + items.length) % items.length : -1;
    items[chosen]?.setAttribute("aria-selected", "true");
    items[chosen]?.scrollIntoView({ block: "nearest" });
    if (chosen >= 0) input.setAttribute("aria-activedescendant", items[chosen].id);
  };
  const add = (/** @type {string} */ kind, /** @type {string} */ href, /** @type {any[]} */ ...what) => {
    const item = make("li", { role: "option", id: `found${list.childElementCount}`, "aria-selected": "false" }, make("span", { className: "kind" }, kind), make("span", { className: "where" }, ...what));
    item.dataset.href = href;
    item.onclick = () => { dialog.close(); visit(href); };
    list.append(item);
    if (chosen < 0) choose(0);
  };
  const figure = (/** @type {Table} */ table, /** @type {number} */ row) => make("small", {}, ` ${percent(executed(table, row) + taken(table, row), table.statements[row] + table.branches[row], files.precision)}%`);

  /** Adds names of one kind, and returns how many there are. */
  const addNames = (/** @type {string} */ kind, /** @type {any} */ query, /** @type {Table} */ table, /** @type {(row: number) => string} */ textOf, /** @type {(row: number) => string} */ href, /** @type {(row: number) => any[]} */ detail, /** @type {((row: number) => string) | undefined} */ pathOf) => {
    /** @type {{row: number, text: string, places: [number, number][], rank: number}[]} */
    const hits = [];
    table.name.forEach((name, row) => {
      if (name === null) return;
      if (query.states.includes("missing") && !table.missing[row]) return;
      if (query.states.includes("partial") && !table.partial[row]) return;
      const text = textOf(row);
      let places = placesOf(text, query.words, query.isExact);
      let isInPath = false;
      if (!places && pathOf) {
        // Some words may be in the path, if another is in the name.
        const has = (/** @type {string} */ part, /** @type {string} */ word) => placesOf(part, [word], query.isExact) !== null;
        const inName = query.words.filter((/** @type {string} */ word) => has(text, word));
        const isFound = inName.length > 0 && query.words.every((/** @type {string} */ word) => has(text, word) || has(pathOf(row), word));
        places = isFound ? placesOf(text, inName, query.isExact) : null;
        isInPath = true;
      }
      // A word at the end of a name tells more than one in its path. Without words, what misses most comes first.
      if (places) hits.push({ row, text, places, rank: places.length ? (isInPath ? 1000 : 0) + text.length - places.at(-1)[0] : -table.missing[row] - table.partial[row] });
    });
    hits.sort((a, b) => a.rank - b.rank);
    for (const { row, text, places } of hits.slice(0, MOST_NAMES)) add(kind, href(row), ...marked(text, places), ...detail(row));
    return hits.length;
  };

  const run = async () => {
    const mine = ++ticket;
    const text = searched = input.value.trim();
    list.replaceChildren();
    chosen = -1;
    state.textContent = "";
    const query = readQuery(text);
    if (query.line && !query.line.path && goToLine) { add("line", `#t${query.line.from}`, `go to line ${query.line.from}`); return; }
    if (!query.words.length && !query.states.length) return;
    let shown = 0;
    if (query.line?.path) {
      const { path, from, to } = query.line;
      const matches = files.name.map((/** @type {string} */ _, /** @type {number} */ row) => row).filter((/** @type {number} */ row) => `/${files.name[row]}`.toLowerCase().endsWith(`/${path}`.toLowerCase()));
      for (const row of matches.slice(0, MOST_NAMES)) add("line", `${files.page[row]}.html#t${from}${to > from ? `-${to}` : ""}`, `${visible(files.name[row])}:${from}${to > from ? `-${to}` : ""}`);
      shown += matches.length;
    }
    shown += addNames("file", query, files, (row) => files.name[row], (row) => address(files.page[row]), (row) => [figure(files, row)], undefined);
    /** @type {[string, Table][]} */
    const regions = [["function", functions], ["class", classes]];
    for (const [kind, table] of regions) {
      const where = (/** @type {number} */ row) => files.name[table.file[row]];
      shown += addNames(kind, query, table, (row) => table.name[row], (row) => address(files.page[table.file[row]], table.line[row]),
        (row) => [figure(table, row), make("small", {}, ` ${visible(where(row))}:${table.line[row]}`)], where);
    }
    if (query.states.length || !query.words.length) {
      state.textContent = plural(shown, "name");
      return;
    }
    const names = contexts.filter((/** @type {string} */ name) => placesOf(name, query.words, query.isExact));
    for (const name of names.slice(0, MOST_NAMES)) add("context", `contexts.html#c=${encodeURIComponent(name)}`, ...marked(name, placesOf(name, query.words, query.isExact)));
    shown += names.length;
    if (text.length < 2) return;
    // The longest word is looked for; the others have to be in the same line.
    const longest = query.words.reduce((one, other) => (other.length > one.length ? other : one));
    const pattern = new RegExp(longest.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), query.isExact ? "g" : "gi");
    let hits = 0;
    for await (const [page, source, done] of sources(files, () => ticket === mine)) {
      if (ticket !== mine || !dialog.open) return;
      state.textContent = `${plural(shown, "name")}, ${plural(hits, "line")}; ${done}`;
      pattern.lastIndex = 0;
      let last = 0;
      let number = 1;
      for (let match = pattern.exec(source); match && hits < MOST_LINES; match = pattern.exec(source)) {
        for (let newline = source.indexOf("\n", last); newline >= 0 && newline < match.index; newline = source.indexOf("\n", last)) { number++; last = newline + 1; }
        const end = source.indexOf("\n", match.index);
        const whole = source.slice(last, end < 0 ? undefined : end).trimEnd();
        if (placesOf(whole, query.words, query.isExact)) {
          const start = Math.max(0, match.index - last - 40);
          const part = whole.slice(start, start + 200).trimStart();
          const inPart = query.words.map((word) => placesOf(part, [word], query.isExact)).filter(Boolean).flat();
          add("text", address(page, number), ...marked(part, inPart.sort((a, b) => a[0] - b[0])), make("small", {}, ` ${visible(files.name[rowOf.get(page)])}:${number}`));
          hits++;
        }
        if (end < 0) break;
        pattern.lastIndex = end + 1;
      }
      if (hits >= MOST_LINES) break;
    }
    if (mine !== ticket) return;
    state.textContent = `${plural(shown, "name")}, ${hits >= MOST_LINES ? "the first " : ""}${plural(hits, "line")} of source`;
  };
  input.oninput = debounce(run, 120);
  input.onkeydown = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); choose(chosen + step); }
    // In a field for searching, Esc would only take the text away.
    if (event.key === "Escape") { event.preventDefault(); dialog.close(); }
    if (event.key === "Enter") {
      event.preventDefault();
      // Names are found at once, so a reader who types and presses Enter need not wait.
      if (input.value.trim() !== searched) run();
      list.children[chosen]?.click();
    }
  };
  input.focus();
  if (input.value) run();
}

/**
 * Returns the source in the HTML of a page: of each line what stands between its number and its labels, without elements.
 * @param {string} html
 */
function sourceOf(html) {
  const lines = html.split("<li id=t").slice(1).map((item) => item.slice(item.indexOf("</a>") + 4).replace(/<(?:details|button|span|\/ol)[^]*/, ""));
  return lines.join("\n").replace(/<mark data-c="U\+(\w+)"><\/mark>/g, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}

/**
 * Returns every page's source, with a sentence about how many were searched.
 * @param {any} files
 * @param {() => boolean} isWanted
 */
async function* sources(files, isWanted) {
  if (isSingle) {
    const pages = [...single.parts].filter(([, part]) => part.dataset.view === "source");
    let start = performance.now();
    for (const [at, [page, part]] of pages.entries()) {
      if (performance.now() - start > 20) {
        await rest();
        start = performance.now();
      }
      if (!isWanted()) return;
      part.plain ??= sourceOf(await textOf(part));
      yield [page, part.plain, `searched ${at} of ${plural(pages.length, "file")}`];
    }
    return;
  }
  for (let at = 0; at < files.texts && isWanted(); at++) {
    for (const [page, text] of await load(`text${at}`)) yield [page, text, `searched ${at} of ${files.texts} parts`];
  }
}
