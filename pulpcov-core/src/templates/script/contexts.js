// Contexts: who ran which lines.

/**
 * Returns who ran the lines of a page: the class of each line, and for each context its classes. Lines that the same contexts ran
 * are of one class.
 * @param {string} page
 */
async function contextsOf(page) {
  const data = await load(`ctx.${page}`, `ctx.${page}.js`);
  if (data.classOf) return data;
  data.classOf = new Map();
  const pairs = numbers(data.lines);
  let line = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    line += pairs[at];
    data.classOf.set(line, pairs[at + 1]);
  }
  const decoded = data.sets.map((/** @type {string} */ text) => {
    const classes = [];
    if (text.startsWith("!")) {
      for (let at = 1; at < text.length; at++) {
        const digit = digitOf[text.charCodeAt(at)];
        for (let bit = 0; bit < 6; bit++) if (digit & (1 << bit)) classes.push((at - 1) * 6 + bit);
      }
    } else {
      const runs = numbers(text);
      let next = 0;
      for (let at = 0; at < runs.length; at += 2) {
        next += runs[at];
        for (let n = 0; n < runs[at + 1]; n++) classes.push(next++);
      }
    }
    return classes;
  });
  const rows = numbers(data.rows);
  let context = 0;
  data.byContext = new Map();
  numbers(data.contexts).forEach((further, at) => {
    context += further;
    data.byContext.set(context, decoded[rows[at]]);
  });
  data.count = new Uint32Array(data.classOf.size);
  for (const classes of data.byContext.values()) for (const name of classes) data.count[name]++;
  return data;
}

/**
 * Returns `[3, 4, 5, 9]` as `[[3, 5], [9, 9]]`. Lines that nobody ran, such as comments, do not part ranges.
 * @param {number[]} lines
 * @param {(from: number, to: number) => boolean} others Whether there are lines that others ran.
 */
function ranges(lines, others) {
  /** @type {[number, number][]} */
  const all = [];
  for (const line of lines) {
    const last = all.at(-1);
    if (last && (line === last[1] + 1 || !others(last[1] + 1, line))) last[1] = line;
    else all.push([line, line]);
  }
  return all;
}

/** Whether the report says who ran what. */
const hasContexts = () => Boolean($("nav a[href^='contexts.html'], nav a[href='#contexts.html']"));

/** How many files of a context are shown at once. */
const FILES_SHOWN = 40;

/** @param {HTMLElement} main */
async function contextsView(main) {
  const [files, names, runs] = await Promise.all([load("files"), load("contexts"), load("runs")]);
  /** @type {Record<string, number[]>} */
  const total = { files: [], lines: [], alone: [] };
  const decoded = names.map((/** @type {string} */ _, /** @type {number} */ context) => {
    const triples = numbers(runs[context]);
    let lines = 0;
    let alone = 0;
    for (let at = 0; at < triples.length; at += 3) { lines += triples[at + 1]; alone += triples[at + 2]; }
    total.files.push(triples.length / 3);
    total.lines.push(lines);
    total.alone.push(alone);
    return triples;
  });
  const chosen = make("section", { className: "chosen", hidden: true, "aria-live": "polite" });
  const open = (/** @type {number} */ context) => {
    settings.write({ c: names[context], alone: "", files: "" }, true);
    show(context);
    chosen.scrollIntoView({ block: "nearest" });
    $("h2", chosen).focus();
  };
  const count = (/** @type {string} */ id, /** @type {string} */ key, /** @type {string} */ label, title = "", className = "last") => ({
    id, key, label, title, className, falling: true, value: (/** @type {number} */ row) => total[id][row],
    cell: (/** @type {number} */ row, /** @type {HTMLElement} */ cell) => { cell.textContent = thousands(total[id][row]); },
  });
  /** @type {Column[]} */
  const columns = [
    { id: "context", key: "n", label: "Context", className: "name", value: (row) => row, cell: (row, cell) => {
      cell.append(make("button", { type: "button", onclick: () => open(row) }, names[row]));
    } },
    count("files", "f", "files", "Files of which the context ran lines", "second"),
    count("lines", "s", "lines", "Lines that the context ran", ""),
    count("alone", "m", "only here", "Lines that no other context ran"),
  ];
  const grid = new Grid({ id: "contexts", columns, count: names.length, sort: "context", label: "Contexts" });
  const controls = filterControls(grid, { id: "filter.contexts", texts: [names], noun: "context", nouns: "contexts",
    boxes: [{ id: "spare", label: "ran nothing alone", is: (row) => total.alone[row] === 0 }] });
  const intro = make("p", { className: "note" }, "Choose a context to see its lines, to mark them in the sources, or to copy its pytest command.");
  main.replaceChildren(chosen, intro, controls, grid.element);

  let ticket = 0;
  async function show(/** @type {number} */ context) {
    const mine = ++ticket;
    const isAlone = settings.read().get("alone") === "1";
    const triples = decoded[context];
    /** @type {{file: number, lines: number, alone: number}[]} */
    const rows = [];
    let file = 0;
    for (let at = 0; at < triples.length; at += 3) {
      file += triples[at];
      if (!isAlone || triples[at + 2]) rows.push({ file, lines: triples[at + 1], alone: triples[at + 2] });
    }
    const choice = (/** @type {boolean} */ alone, /** @type {string} */ label) => make("button", { type: "button", "aria-pressed": String(isAlone === alone), onclick: () => {
      settings.write({ alone: alone ? "1" : "", files: "" }, true);
      show(context);
    } }, label);
    const close = () => {
      settings.write({ c: "", alone: "", files: "" }, true);
      chosen.hidden = true;
    };
    const test = names[context];
    const mark = make("button", { type: "button", "data-mark": "", onclick: () => {
      chosenTests.toggle(test);
      drawMark();
      say(chosenTests.all().includes(test) ? `Source pages mark the lines of ${test}` : `Source pages no longer mark the lines of ${test}`);
    } }, "mark its lines in the sources");
    const drawMark = () => mark.setAttribute("aria-pressed", String(chosenTests.all().includes(test)));
    drawMark();
    const nodes = nodesOf([names[context]]);
    const list = make("ul", { className: "files" });
    const more = make("button", { type: "button", hidden: true });
    chosen.replaceChildren(make("h2", { tabIndex: -1 }, names[context]), make("div", { className: "choice" },
      choice(false, `all it ran: ${plural(total.lines[context], "line")} of ${plural(total.files[context], "file")}`),
      choice(true, `what no other context ran: ${plural(total.alone[context], "line")}`),
      mark, nodes.length > 0 && make("button", { type: "button", onclick: () => copyText(pytestCommand(nodes)) }, "Copy pytest command"),
      make("button", { type: "button", "data-close": performance.now(), onclick: close }, "Close")), list, more);
    chosen.hidden = false;
    let next = 0;
    const fill = async (/** @type {number} */ count) => {
      const some = rows.slice(next, next + count);
      next += some.length;
      more.hidden = next >= rows.length;
      more.textContent = `Show more of ${plural(rows.length, "file")}`;
      const items = some.map((row) => make("li", { id: `file${row.file}` }, make("a", { href: address(files.page[row.file]) }, files.name[row.file]), make("span", { className: "lines" }, "…")));
      list.append(...items);
      for (const [at, row] of some.entries()) {
        const page = files.page[row.file];
        const data = await contextsOf(page);
        if (mine !== ticket) return;
        const classes = new Set((data.byContext.get(context) ?? []).filter((/** @type {number} */ name) => !isAlone || data.count[name] === 1));
        const known = [...data.classOf.keys()];
        const lines = known.filter((line) => classes.has(data.classOf.get(line)));
        const found = ranges(lines, (from, to) => known.some((line) => line >= from && line < to));
        const label = items[at].lastChild;
        label.replaceChildren(`${thousands(isAlone ? row.alone : row.lines)}: `, ...found.slice(0, 300).map(([from, to]) =>
          make("a", { href: `${page}.html#t${from}${to > from ? `-${to}` : ""}` }, to > from ? `${from}-${to}` : String(from))));
        if (found.length > 300) label.append("…");
      }
    };
    more.onclick = () => {
      settings.write({ files: String(next + FILES_SHOWN) });
      fill(FILES_SHOWN);
    };
    await fill(Math.max(FILES_SHOWN, Number(settings.read().get("files")) || 0));
  }
  const follow = async () => {
    const context = names.indexOf(settings.read().get("c"));
    if (context >= 0) await show(context);
    else { ticket++; chosen.hidden = true; }
  };
  const followList = onPlace;
  onPlace = async () => {
    await follow();
    followList();
  };
  const anchorOfList = anchorOf;
  anchorOf = () => {
    const items = chosen.hidden ? [] : $$(".files > li", chosen);
    const item = items.find((item) => item.getBoundingClientRect().bottom > 0);
    return item ? { name: item.id, top: item.getBoundingClientRect().top } : anchorOfList();
  };
  await follow();
}
