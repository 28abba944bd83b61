// The lists of files, functions and classes, and the functions that miss most.

/**
 * Returns the parts of a path, which a line may end between.
 * @param {string} path
 * @returns {(string | HTMLElement)[]}
 */
const breakable = (path) => (path.length < 24 ? [path] : path.split(/(?<=[/_])(?=.{3})/u).flatMap((part, at) => (at ? [make("wbr"), part] : [part])));

/**
 * Fills a cell with a link.
 * @param {HTMLElement} cell
 * @param {string | (string | HTMLElement)[]} text
 * @param {string} href
 * @param {string} [also] What stands below the name where there is no room for another column.
 * @param {string} [detail] What tells it from others of the same name.
 */
function linkCell(cell, text, href, also, detail) {
  cell.append(make("a", { href }, ...[text].flat()));
  if (detail) cell.append(make("small", { className: "soft" }, ` ${detail}`));
  if (also) cell.append(make("small", { className: "also" }, make("bdi", {}, also)));
}

/**
 * Says beside a name that the file is below its floor.
 * @param {any} files
 * @param {number} row
 * @param {HTMLElement} cell
 */
function addFloor(files, row, cell) {
  const judged = files.judged?.[row];
  if (!judged) return;
  const [fails, words] = judged;
  cell.append(" ", make("small", { className: fails ? "floor fail" : "floor", title: words }, fails ? "below floor" : "below floor, allowed"));
}

/**
 * Lets a column show a percentage below a floor with as many digits as it takes to see that.
 * @param {{cell: (row: number, cell: HTMLTableCellElement) => void}} column
 * @param {any} files
 * @param {(row: number) => number} fileOf
 */
function showBelowFloor(column, files, fileOf) {
  const { cell } = column;
  column.cell = (row, element) => {
    cell(row, element);
    const judged = files.judged?.[fileOf(row)];
    if (judged) element.textContent = `${judged[2]}%`;
  };
}

/** @type {(page: string, line?: number) => string} */
const address = (page, line) => `${page}.html${line ? `#t${line}` : ""}`;

/**
 * Makes the controls of a list: a text, whether to hide what is covered, and what the list is limited to. The address has
 * what they say, and the other lists of the report begin with it.
 * @param {Grid} grid
 * @param {object} options
 * @param {string} [options.id] What is remembered under another name than that of files and functions.
 * @param {(string | null)[][]} options.texts What the text is looked for in, for each row.
 * @param {string} options.noun
 * @param {string} options.nouns
 * @param {((row: number) => boolean)} [options.isCovered]
 * @param {boolean} [options.skipsCovered] Whether the report has nothing that is covered.
 * @param {{id: string, label: string, is: (row: number) => boolean}[]} [options.boxes] What else the list can be limited to.
 */
function filterControls(grid, { id = "filter", texts, noun, nouns, isCovered, skipsCovered, boxes = [] }) {
  const filter = make("input", { type: "search", id: "filter", placeholder: "filter…", "aria-label": "Filter" });
  const hide = make("input", { type: "checkbox", id: "hide100" });
  const only = boxes.map((box) => ({ ...box, input: make("input", { type: "checkbox", id: box.id }) }));
  const found = make("span", { className: "soft", role: "status" });
  const clear = make("button", { type: "button", id: "all" }, "Show all");
  const lower = texts.map((list) => list.map((text) => (text ?? "").toLowerCase()));

  const show = () => {
    const text = filter.value;
    const hides = Boolean(isCovered) && hide.checked && !skipsCovered;
    const limits = only.filter(({ input }) => input.checked);
    const lists = text === text.toLowerCase() ? lower : texts;
    const isWanted = (/** @type {number} */ row) => (!text || lists.some((list) => list[row]?.includes(text)))
      && !(hides && isCovered(row)) && limits.every(({ is }) => is(row));
    const isPart = Boolean(text) || hides || limits.length > 0;
    grid.filter(isPart ? isWanted : null);
    const [some, all] = [grid.rows.length, grid.all.length];
    found.textContent = isPart ? `${thousands(some)} of ${plural(all, noun, nouns)}` : plural(all, noun, nouns);
    clear.hidden = !isPart;
    grid.empty.textContent = all ? "Nothing matches. “Show all” takes the filter away." : `The report has no ${nouns}.`;
  };
  const chosen = () => only.filter(({ input }) => input.checked).map(({ id }) => id).join(",");
  const keep = (/** @type {boolean} */ isStep) => {
    const values = { filter: filter.value, hide: hide.checked && !skipsCovered ? "covered" : "", only: chosen() };
    memory.set(id, values);
    settings.write(values, isStep);
    show();
  };
  const read = () => {
    const address = settings.read();
    const isSaid = ["filter", "hide", "only"].some((name) => address.has(name));
    const kept = isSaid || history.state ? Object.fromEntries(address) : memory.get(id, {});
    filter.value = typeof kept.filter === "string" ? kept.filter : "";
    hide.checked = skipsCovered || kept.hide === "covered";
    hide.disabled = Boolean(skipsCovered);
    const limits = typeof kept.only === "string" ? kept.only.split(",") : [];
    only.forEach(({ id, input }) => { input.checked = limits.includes(id); });
    // A link to this page leads to what it shows.
    if (!isSaid) settings.write({ filter: filter.value, hide: kept.hide === "covered" ? kept.hide : "", only: chosen() });
  };
  filter.oninput = debounce(() => keep(false));
  [hide, ...only.map(({ input }) => input)].forEach((box) => { box.onchange = () => keep(true); });
  clear.onclick = () => {
    filter.value = "";
    hide.checked = Boolean(skipsCovered);
    only.forEach(({ input }) => { input.checked = false; });
    keep(true);
    filter.focus();
  };
  read();
  show();
  onPlace = () => {
    read();
    grid.order = grid.kept();
    show();
    restorePosition();
  };
  return make("form", { className: "controls", onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, filter,
    isCovered && make("label", {}, hide, "hide covered"), ...only.map(({ input, label }) => make("label", {}, input, label)), found, clear);
}

/**
 * Returns the box that limits a list to what changed, if the report shows changes.
 * @param {Table} table
 * @param {(row: number) => number} rowOf
 */
function changedBox(table, rowOf) {
  return table.changed ? [{ id: "changed", label: "changed only", is: (/** @type {number} */ row) => table.changed[rowOf(row)] > 0 }] : [];
}

/**
 * Returns the names without the folders that all have, and the label of their column, which says these folders.
 * @param {string[]} names
 */
function shortened(names) {
  const common = commonFolder(names);
  return { names: names.map((name) => name.slice(common.length)), label: common ? `File in ${common}` : "File" };
}

/**
 * Returns for each region what tells it from others of the same name in the same file: its line.
 * @param {Table} table
 */
function details(table) {
  const told = new Array(table.name.length).fill("");
  let file = -1;
  /** The first row of each name in the file. */
  let first = new Map();
  for (let row = 0; row < told.length; row++) {
    if (table.file[row] !== file) {
      file = table.file[row];
      first = new Map();
    }
    const earlier = first.get(table.name[row]);
    if (earlier === undefined) first.set(table.name[row], row);
    else for (const one of [earlier, row]) told[one] = `line ${table.line[one]}`;
  }
  return told;
}

/**
 * @param {HTMLElement} main
 * @param {string} kind
 */
async function listView(main, kind) {
  const files = kind === "index" ? filesOfLanguage(await load("files")) : await load("files");
  /** @type {Table} */
  const table = kind === "index" ? files : await load(kind === "function_index" ? "functions" : "classes");
  const [noun, nouns] = { index: ["file", "files"], function_index: ["function", "functions"], class_index: ["class", "classes"] }[kind];
  const isRegions = table !== files;
  const fileOf = isRegions ? (/** @type {number} */ row) => table.file[row] : (/** @type {number} */ row) => row;
  const href = (/** @type {number} */ row) => address(files.page[fileOf(row)], isRegions ? table.line[row] : 0);
  const none = `(no ${noun})`;
  const whole = isRegions ? table.file.map((file) => files.name[file]) : files.name;
  const short = shortened(files.name);
  const shown = (/** @type {number} */ row) => short.names[fileOf(row)];
  const rank = ranks(files.name);
  const columns = [{
    id: "file", key: "f", label: short.label, className: isRegions ? "name path wide" : "name path",
    value: (/** @type {number} */ row) => rank[fileOf(row)],
    cell: (/** @type {number} */ row, /** @type {HTMLElement} */ cell) => {
      linkCell(cell, isRegions ? shown(row) : breakable(shown(row)), href(row));
      if (!isRegions) addFloor(files, row, cell);
    },
  }];
  if (isRegions) {
    const told = details(table);
    columns.push(/** @type {any} */ ({
      id: "region", key: "n", label: noun, className: "name", isText: true,
      // As in coverage.py: by the last part of the name, without underscores.
      value: (/** @type {number} */ row) => (table.name[row] ?? "").split(".").pop().replace(/^_+/, ""),
      cell: (/** @type {number} */ row, /** @type {HTMLElement} */ cell) => {
        linkCell(cell, table.name[row] ?? none, href(row), shown(row), told[row]);
        cell.classList.toggle("soft", table.name[row] === null);
      },
    }));
  }
  columns.push(.../** @type {any} */ (figureColumns(table, files)));
  if (!isRegions) columns.forEach((column) => column.id === "coverage" && showBelowFloor(column, files, (row) => row));
  if (files.history && !isRegions) {
    const runs = await load("history");
    columns.push(/** @type {any} */ (historyColumn(runs, files.precision, (row) => runs.files[row], (row) => files.name[row])));
    drawTotal(runs, files.precision);
  }
  await rest();
  const base = [...table.statements.keys()].sort((a, b) => rank[fileOf(a)] - rank[fileOf(b)]);
  const grid = new Grid({
    id: isRegions ? "regions" : "files", columns, count: table.statements.length, sort: "file", base,
    total: totals(table, files, columns), label: $("h1").textContent,
  });
  await rest();
  const ofChosen = isRegions ? null : await filesOfChosen();
  const controls = filterControls(grid, {
    texts: isRegions ? [whole, table.name.map((name) => name ?? none)] : [whole], noun, nouns,
    isCovered: (row) => !table.missing[row] && !table.missing_branches[row], skipsCovered: main.dataset.skipCovered === "true",
    boxes: [
      ...changedBox(table, (row) => row),
      ...(ofChosen ? [{ id: "chosen", label: "run by the chosen tests", is: (/** @type {number} */ row) => ofChosen.has(fileOf(row)) }] : []),
    ],
  });
  main.replaceChildren(controls, grid.element, ...table.notes.map((note) => make("p", { className: "note" }, note)));
  followLanguage();
}

/** @param {HTMLElement} main */
async function worstView(main) {
  const [files, table] = await Promise.all([load("files"), load("functions")]);
  const rows = [...table.statements.keys()].filter((row) => table.missing[row] + table.missing_branches[row] > 0);
  if (!rows.length) {
    main.replaceChildren(make("p", { className: "note" }, "Every function ran completely."));
    return;
  }
  const all = files.totals.statements[0] + files.totals.branches[0];
  const gain = (/** @type {number} */ at) => table.missing[rows[at]] + table.missing_branches[rows[at]];
  const number = (/** @type {string} */ id, /** @type {string} */ key, /** @type {(row: number) => number} */ value, label = id, className = "") => ({
    id, key, label, className, falling: true, value, cell: (/** @type {number} */ at, /** @type {HTMLElement} */ cell) => { cell.textContent = thousands(value(at)); },
  });
  const href = (/** @type {number} */ at) => address(files.page[table.file[rows[at]]], table.line[rows[at]]);
  const names = rows.map((row) => table.name[row] ?? "(no function)");
  const whole = rows.map((row) => files.name[table.file[row]]);
  const short = shortened(files.name);
  const shown = rows.map((row) => short.names[table.file[row]]);
  const told = details(table);
  /** @type {Column[]} */
  const columns = [
    { id: "region", key: "n", label: "function", className: "name", isText: true, value: (at) => names[at], cell: (at, cell) => linkCell(cell, names[at], href(at), shown[at], told[rows[at]]) },
    { id: "file", key: "f", label: short.label, className: "name path wide", isText: true, value: (at) => whole[at], cell: (at, cell) => linkCell(cell, shown[at], href(at)) },
    number("missing", "m", (at) => table.missing[rows[at]], "missing lines", "second"),
  ];
  if (files.has_branches) columns.push(number("missing_branches", "b", (at) => table.missing_branches[rows[at]], "missing branches", "second"));
  columns.push({
    id: "gain", key: "g", label: "total gains", title: "How many percentage points the total gains if all of the function runs", className: "last", falling: true, value: gain,
    cell: (at, cell) => { cell.textContent = `+${((100 * gain(at)) / all).toFixed(2)}`; },
  });
  columns.push(...figureColumns(table, files).filter(({ id }) => id === "coverage").map((column) => ({
    ...column, value: (/** @type {number} */ at) => column.value(rows[at]), cell: (/** @type {number} */ at, /** @type {HTMLTableCellElement} */ cell) => column.cell(rows[at], cell),
  })));
  await rest();
  const grid = new Grid({ id: "worst", columns, count: rows.length, sort: "gain", label: "Functions, worst first" });
  const controls = filterControls(grid, {
    texts: [names, whole], noun: "function", nouns: "functions", boxes: changedBox(table, (at) => rows[at]),
  });
  const intro = make("p", { className: "note" }, "Functions with lines or branches that did not run. “Total gains” says how many percentage points the total gains if all of the function runs.");
  main.replaceChildren(intro, controls, grid.element);
}
