// The HTML report of pulpcov. It runs from file://, asks nobody for anything but files of the report, and puts
// names and source into pages as text only.
"use strict";
(() => {
  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

  /** An element with properties, attributes (`aria-…`, `data-…`, `role`) and children. */
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element && !name.includes("-")) element[name] = value;
      else if (value !== undefined && value !== null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }
  function svg(tag, attributes = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // What is remembered. A browser may refuse to remember for files.
  const memory = {
    get(key, other) {
      try { return JSON.parse(localStorage.getItem(`pulpcov.${key}`)) ?? other; } catch { return other; }
    },
    set(key, value) {
      try { localStorage.setItem(`pulpcov.${key}`, JSON.stringify(value)); } catch { /* then not */ }
    },
  };

  // Data: of the page itself in a single file, else a script of the folder.
  const arrived = new Map();
  const expected = new Map();
  window.pulpcov = (name, value) => {
    arrived.set(name, value);
    expected.get(name)?.resolve(value);
  };
  function load(name, file = `data.${name}.js`) {
    if (arrived.has(name)) return Promise.resolve(arrived.get(name));
    if (expected.has(name)) return expected.get(name).promise;
    const entry = {};
    entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
    expected.set(name, entry);
    const inside = $(`script[data-name="${name}"]`);
    if (inside) {
      window.pulpcov(name, JSON.parse(inside.textContent));
      inside.remove();
    } else if (isSingle) {
      entry.reject(new Error(`no ${name}`));
    } else {
      const script = make("script", { src: file });
      script.onerror = () => entry.reject(new Error(`${file} cannot be read`));
      document.head.append(script);
    }
    return entry.promise;
  }

  const isSingle = root.hasAttribute("data-single");
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const digitOf = new Uint8Array(128);
  [...digits].forEach((digit, value) => { digitOf[digit.charCodeAt(0)] = value; });

  /** Numbers of five bits a character; the sixth says that more follow. */
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

  /** As coverage.py prints: nothing but nothing is 0, and all but all is not 100; half goes to even. */
  function percent(covered, all, precision) {
    let value = all ? (100 * covered) / all : 100;
    const near = 1 / 10 ** precision;
    if (value > 0 && value < near) value = near;
    else if (value > 100 - near && value < 100) value = 100 - near;
    const scaled = value * 10 ** precision;
    const isTie = Number.isInteger(value * 2 ** (precision + 1)) && scaled % 1 === 0.5;
    return isTie ? ((Math.floor(scaled / 2 + 0.5) * 2) / 10 ** precision).toFixed(precision) : value.toFixed(precision);
  }

  const collator = new Intl.Collator("en", { numeric: true });
  const natural = collator.compare;
  /** The place of each name among all; many are the same, and each is compared once. */
  function ranks(names) {
    const order = new Map([...new Set(names)].sort(natural).map((name, at) => [name, at]));
    return names.map((name) => order.get(name));
  }
  const debounce = (work, wait = 60) => {
    let timer = 0;
    return () => { clearTimeout(timer); timer = setTimeout(work, wait); };
  };
  function say(text) {
    $(".say")?.remove();
    document.body.append(make("div", { className: "say", role: "status" }, text));
  }
  // Source that is searched is as it was written; what turns text around is shown as what it is.
  const visible = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (c) => `[U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
  const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  const address = (page, line) => `${page}.html${line ? `#t${line}` : ""}`;

  // Where the page is: the fragment of its own address, or the part behind the page's name in a single file.
  const place = {
    hash() {
      if (!isSingle) return location.hash;
      const colon = location.hash.indexOf(":");
      return colon < 0 ? "" : `#${location.hash.slice(colon + 1)}`;
    },
    replace(hash) {
      const inner = hash.replace(/^#/, "");
      const full = isSingle ? `#${single.page}.html${inner && `:${inner}`}` : `#${inner}`;
      history.replaceState(null, "", inner || isSingle ? full : location.pathname + location.search);
    },
  };

  // Lists: of all rows, those are in the document that are in sight.
  class Grid {
    /** Columns: {id, key, label, value(row), cell(row, td), falling, name, className}; rows are numbers, and of equal ones
      the first in `base` comes first. */
    constructor({ id, columns, count, sort, base, total, label, isTall }) {
      Object.assign(this, { id, columns, total });
      this.all = Uint32Array.from({ length: count }, (_, row) => base?.[row] ?? row);
      this.rows = this.all;
      this.shown = new Map();
      this.table = make("table", { className: `grid live ${isTall ? "tall" : ""}`, "aria-label": label });
      this.head = make("tr");
      columns.forEach((column) => {
        const button = make("button", { type: "button", title: column.title ?? "" }, column.label);
        if (column.key) button.dataset.key = column.key;
        button.onclick = () => this.sortBy(column, this.order.column === column && !this.order.flipped);
        this.head.append(make("th", { scope: "col", className: column.className ?? "", "data-column": column.id }, button));
      });
      this.body = make("tbody");
      this.before = this.gap();
      this.after = this.gap();
      this.foot = make("tr");
      this.table.append(make("thead", {}, this.head), this.body, make("tfoot", {}, this.foot));
      this.empty = make("p", { className: "note", hidden: true }, "No items found using the specified filter.");
      const saved = memory.get(`sort.${id}`, null);
      const column = columns.find((column) => column.id === saved?.column) ?? columns.find((column) => column.id === sort) ?? columns[0];
      this.order = { column, flipped: saved?.column === column.id && Boolean(saved.flipped) };
      addEventListener("scroll", () => this.draw(), { passive: true });
      addEventListener("resize", () => { this.height = undefined; this.first = -1; this.draw(); });
      addEventListener("beforeprint", () => this.draw(true));
      addEventListener("afterprint", () => this.draw());
    }
    gap() {
      return make("tr", { className: "gap", "aria-hidden": "true" }, make("td"));
    }
    sortBy(column, flipped) {
      this.order = { column, flipped };
      memory.set(`sort.${this.id}`, { column: column.id, flipped });
      this.update();
    }
    /** Show these rows, in order. */
    filter(wanted) {
      this.wanted = wanted;
      this.update();
    }
    update() {
      const { column, flipped } = this.order;
      this.sorted ??= new Map();
      // The order of all rows is kept: filters are typed, sorting waits.
      if (!this.sorted.has(column.id)) {
        let values = Array.from({ length: this.all.length }, (_, row) => column.value(row));
        if (column.name) values = ranks(values);
        const direction = column.falling ? -1 : 1;
        this.sorted.set(column.id, this.all.slice().sort((a, b) => direction * (values[a] - values[b])));
      }
      let rows = this.sorted.get(column.id);
      if (this.wanted) rows = rows.filter(this.wanted);
      this.rows = flipped ? rows.slice().reverse() : rows;
      [...this.head.cells].forEach((cell, at) => {
        const falls = Boolean(column.falling) !== flipped;
        cell.setAttribute("aria-sort", this.columns[at] === column ? (falls ? "descending" : "ascending") : "none");
      });
      this.table.setAttribute("aria-rowcount", this.rows.length + 2);
      this.empty.hidden = this.rows.length > 0;
      this.table.hidden = !this.empty.hidden;
      if (this.total) this.foot.replaceChildren(...this.total(this.rows, Boolean(this.wanted) && this.rows.length < this.all.length));
      this.shown.clear();
      this.body.replaceChildren();
      this.draw();
    }
    draw(whole = false) {
      if (!this.table.isConnected) return;
      const height = this.height ??= parseFloat(getComputedStyle(this.table).getPropertyValue("--row")) || 30;
      const count = this.rows.length;
      let first = 0;
      let last = count;
      if (!whole && count > 300) {
        const top = -this.body.getBoundingClientRect().top;
        first = Math.max(0, Math.min(count, Math.floor(top / height)) - 15);
        last = Math.min(count, Math.ceil((top + innerHeight) / height) + 15);
        // While the focus is in a row, the row stays.
        const focused = document.activeElement?.closest?.("tr");
        const place = focused && this.body.contains(focused) ? Number(focused.dataset.at) : -1;
        if (place >= 0 && place < first && first - place < 200) first = place;
        if (place > last && place - last < 200) last = place + 1;
      }
      last = Math.max(first, last);
      if (this.first === first && this.last === last && this.shown.size) return;
      Object.assign(this, { first, last });
      for (const [at, row] of this.shown) {
        if (at < first || at >= last) { row.remove(); this.shown.delete(at); }
      }
      this.before.firstChild.style.height = `${first * height}px`;
      this.after.firstChild.style.height = `${(count - last) * height}px`;
      if (!this.before.isConnected) this.body.append(this.before, this.after);
      let anchor = this.after;
      for (let at = last - 1; at >= first; at--) {
        let row = this.shown.get(at);
        if (!row) {
          row = this.row(this.rows[at]);
          row.dataset.at = at;
          row.setAttribute("aria-rowindex", at + 2);
          this.shown.set(at, row);
          this.body.insertBefore(row, anchor);
        }
        anchor = row;
      }
      this.before.hidden = first === 0;
      this.after.hidden = last === count;
    }
    row(number) {
      const row = make("tr");
      for (const column of this.columns) {
        const cell = row.insertCell();
        cell.className = column.className ?? "";
        column.cell(number, cell);
      }
      return row;
    }
  }

  const counts = ["statements", "missing", "excluded", "branches", "partial", "missing_branches"];
  const executed = (table, row) => table.statements[row] - table.missing[row];
  const taken = (table, row) => table.branches[row] - table.missing_branches[row];
  const ratio = (covered, all) => (all ? covered / all : 1);

  function coverCell(cell, covered, all, precision) {
    const text = percent(covered, all, precision);
    cell.textContent = `${text}%`;
    cell.style.setProperty("--p", all ? (100 * covered) / all : 100);
  }

  /** The columns of coverage.py's index; those of branches if there are any. */
  function figureColumns(table, files) {
    const { branches, precision } = files;
    const count = (id, key, className = "") => ({
      id, key, className, label: id, falling: true,
      value: (row) => table[id][row],
      cell: (row, cell) => { cell.textContent = table[id][row]; },
    });
    const share = (id, label, key, covered, all, className) => ({
      id, key, label, className: `cover ${className}`,
      value: (row) => ratio(covered(row), all(row)),
      cell: (row, cell) => coverCell(cell, covered(row), all(row), precision),
    });
    const columns = [];
    if (branches) columns.push(share("statements_coverage", "stmt cover", undefined, (row) => executed(table, row), (row) => table.statements[row], "wide"));
    columns.push(count("statements", "s", "wide"), count("missing", "m"), count("excluded", "x", "wide"));
    if (branches) {
      columns.push(share("branches_coverage", "branch cover", undefined, (row) => taken(table, row), (row) => table.branches[row], "wide"));
      columns.push(count("branches", "b", "wide"), count("partial", "p", "wide"));
    }
    columns.push(share("coverage", "coverage", "c", (row) => executed(table, row) + taken(table, row), (row) => table.statements[row] + table.branches[row], ""));
    return columns;
  }

  /** The cells of the totals; of all rows they are the report's own, which count what was left out. */
  function totals(table, files, columns, names) {
    return (rows, isPart) => {
      const sum = {};
      counts.forEach((name) => { sum[name] = [isPart ? 0 : table.totals[name][0]]; });
      if (isPart) for (const row of rows) counts.forEach((name) => { sum[name][0] += table[name][row]; });
      // On a phone only the last of them is there.
      const title = isPart ? `Total of ${rows.length}` : "Total";
      const cells = names.map((column, at) => make("td", { className: column.className }, make("span", { className: at ? "narrow" : "" }, title)));
      for (const column of figureColumns(sum, files)) {
        const cell = make("td", { className: column.className });
        column.cell(0, cell);
        cells.push(cell);
      }
      return cells;
    };
  }

  /** `also` stands below the name where there is no room for another column. */
  function linkCell(cell, text, href, also) {
    const link = make("a", { href }, text);
    link.title = text.length > 400 ? `${text.slice(0, 400)}…` : text;
    cell.append(link);
    if (also) cell.append(make("small", { className: "also" }, make("bdi", {}, also)));
  }

  /** Filter, whether to hide what is covered, and whether to show only what changed; all are remembered. */
  function filterControls(grid, texts, isCovered, skipsCovered, changed) {
    const filter = make("input", { type: "search", id: "filter", placeholder: "filter…", "aria-label": "Filter", value: memory.get("filter", "") });
    const hide = make("input", { type: "checkbox", id: "hide100", checked: skipsCovered || memory.get("hide100", false), disabled: skipsCovered });
    const only = make("input", { type: "checkbox", id: "changed", checked: Boolean(changed) && memory.get("changed", false) });
    const found = make("span", { className: "soft", role: "status" });
    const lower = texts.map((list) => list.map((text) => (text ?? "").toLowerCase()));
    const apply = () => {
      const text = filter.value;
      memory.set("filter", text);
      if (!skipsCovered) memory.set("hide100", hide.checked);
      const lists = text === text.toLowerCase() ? lower : texts;
      if (changed) memory.set("changed", only.checked);
      const wanted = (row) => (!text || lists.some((list) => list[row]?.includes(text))) && !(hide.checked && isCovered(row)) && !(only.checked && !changed(row));
      grid.filter(text || (hide.checked && !skipsCovered) || only.checked ? wanted : null);
      found.textContent = text ? `${grid.rows.length} of ${grid.all.length}` : "";
    };
    filter.oninput = debounce(apply);
    hide.onchange = only.onchange = apply;
    grid.apply = apply;
    return make("form", { className: "controls", onsubmit: (event) => event.preventDefault() }, filter, make("label", { className: "hides" }, hide, "hide covered"),
      changed ? make("label", {}, only, "changed only") : null, found);
  }

  async function listView(main, kind) {
    const files = await load("files");
    const table = kind === "index" ? files : await load(kind === "function_index" ? "functions" : "classes");
    const noun = kind === "function_index" ? "function" : "class";
    const isRegions = table !== files;
    const fileOf = isRegions ? (row) => table.file[row] : (row) => row;
    const href = (row) => address(files.page[fileOf(row)], isRegions ? table.line[row] : 0);
    const none = `(no ${noun})`;
    const fileNames = isRegions ? table.file.map((file) => files.name[file]) : files.name;
    const rank = ranks(files.name);
    const columns = [{
      id: "file", key: "f", label: "File", className: isRegions ? "name path wide" : "name path",
      value: (row) => rank[fileOf(row)],
      cell: (row, cell) => linkCell(cell, fileNames[row], href(row)),
    }];
    if (isRegions) {
      columns.push({
        id: "region", key: "n", label: noun, className: "name", name: true,
        // As in coverage.py: by the last part of the name, without underscores.
        value: (row) => (table.name[row] ?? "").split(".").pop().replace(/^_+/, ""),
        cell: (row, cell) => {
          linkCell(cell, table.name[row] ?? none, href(row), fileNames[row]);
          cell.classList.toggle("soft", table.name[row] === null);
        },
      });
    }
    const names = [...columns];
    columns.push(...figureColumns(table, files));
    const base = [...table.statements.keys()].sort((a, b) => rank[fileOf(a)] - rank[fileOf(b)]);
    const grid = new Grid({
      id: isRegions ? "regions" : "files", columns, count: table.statements.length, sort: "file", base,
      total: totals(table, files, columns, names), label: $("h1").textContent, isTall: isRegions,
    });
    const isCovered = (row) => !table.missing[row] && !table.missing_branches[row];
    const lists = isRegions ? [fileNames, table.name.map((name) => name ?? none)] : [fileNames];
    const changed = table.changed && ((row) => table.changed[row] > 0);
    const controls = filterControls(grid, lists, isCovered, main.dataset.skipCovered === "true", changed);
    main.replaceChildren(controls, grid.table, grid.empty, ...table.notes.map((note) => make("p", { className: "note" }, note)));
    grid.apply();
  }

  async function worstView(main) {
    const [files, table] = await Promise.all([load("files"), load("functions")]);
    const rows = [...table.statements.keys()].filter((row) => table.missing[row] + table.missing_branches[row] > 0);
    const all = files.totals.statements[0] + files.totals.branches[0];
    const gain = (at) => table.missing[rows[at]] + table.missing_branches[rows[at]];
    const number = (id, key, value, label = id, className = "") => ({
      id, key, label, className, falling: true, value, cell: (at, cell) => { cell.textContent = value(at); },
    });
    const href = (at) => address(files.page[table.file[rows[at]]], table.line[rows[at]]);
    const names = rows.map((row) => table.name[row] ?? "(no function)");
    const fileNames = rows.map((row) => files.name[table.file[row]]);
    const columns = [
      { id: "region", key: "n", label: "function", className: "name", name: true, value: (at) => names[at], cell: (at, cell) => linkCell(cell, names[at], href(at), fileNames[at]) },
      { id: "file", key: "f", label: "File", className: "name path wide", name: true, value: (at) => fileNames[at], cell: (at, cell) => linkCell(cell, fileNames[at], href(at)) },
      number("missing", "m", (at) => table.missing[rows[at]], "missing lines", "wide"),
    ];
    if (files.branches) columns.push(number("missing_branches", "b", (at) => table.missing_branches[rows[at]], "missing branches", "wide"));
    columns.push({
      id: "gain", key: "g", label: "to win", title: "What the total would gain, in percentage points", falling: true, value: gain,
      cell: (at, cell) => { cell.textContent = `+${((100 * gain(at)) / all).toFixed(2)}`; },
    });
    columns.push(...figureColumns(table, files).slice(-1).map((column) => ({
      ...column, value: (at) => column.value(rows[at]), cell: (at, cell) => column.cell(rows[at], cell),
    })));
    const grid = new Grid({ id: "worst", columns, count: rows.length, sort: "gain", label: "Functions, worst first", isTall: true });
    const changed = table.changed && ((at) => table.changed[rows[at]] > 0);
    const controls = filterControls(grid, [names, fileNames], () => false, false, changed);
    controls.querySelector(".hides").remove();
    const intro = make("p", { className: "note" }, `${plural(rows.length, "function")} with lines or branches that did not run, the biggest win first. “To win” says how many points the total gains when all of it runs.`);
    main.replaceChildren(...(rows.length ? [intro, controls, grid.table, grid.empty] : [make("p", { className: "note" }, "Every function ran completely.")]));
    grid.apply();
  }

  // Folders.
  function folders(files) {
    const top = { name: "", path: "", folders: new Map(), files: [], covered: 0, all: 0, missing: 0, statements: 0 };
    const add = (folder, row) => {
      folder.statements += files.statements[row];
      folder.missing += files.missing[row];
      folder.covered += executed(files, row) + taken(files, row);
      folder.all += files.statements[row] + files.branches[row];
    };
    files.name.forEach((name, row) => {
      const parts = name.split(/[/\\]/);
      let folder = top;
      add(top, row);
      for (const part of parts.slice(0, -1)) {
        let inner = folder.folders.get(part);
        if (!inner) {
          inner = { name: part, path: `${folder.path}${part}/`, folders: new Map(), files: [], covered: 0, all: 0, missing: 0, statements: 0 };
          folder.folders.set(part, inner);
        }
        folder = inner;
        add(folder, row);
      }
      folder.files.push({ name: parts.at(-1), row, covered: executed(files, row) + taken(files, row), all: files.statements[row] + files.branches[row], missing: files.missing[row], statements: files.statements[row] });
    });
    // A folder with nothing but a folder is one with it.
    const fold = (folder) => {
      while (folder !== top && !folder.files.length && folder.folders.size === 1) {
        const [inner] = folder.folders.values();
        Object.assign(folder, { name: `${folder.name}/${inner.name}`, path: inner.path, folders: inner.folders, files: inner.files });
      }
      folder.folders.forEach(fold);
    };
    fold(top);
    return top;
  }

  async function treeView(main) {
    const files = await load("files");
    const top = folders(files);
    const map = make("section", { className: "map", "aria-label": "Map of the folders" });
    const open = new Set(memory.get("open", []));
    const figures = (node) => {
      const cover = make("span", { className: "cover" });
      coverCell(cover, node.covered, node.all, files.precision);
      return [make("span", {}, String(node.statements)), make("span", {}, String(node.missing)), cover];
    };
    // A sole folder is open to begin with, and the map begins in it.
    const sole = !top.files.length && top.folders.size === 1 ? [...top.folders.values()][0] : top;
    if (sole !== top && memory.get("open", null) === null) open.add(sole.path);
    const list = (folder) => {
      const items = [...folder.folders.values()].sort((a, b) => natural(a.name, b.name)).map((inner) => {
        const details = make("details", { "data-path": inner.path });
        details.append(make("summary", {}, make("span", { className: "node" }, make("span", { title: inner.path }, `${inner.name}/`), ...figures(inner))));
        const fill = () => { if (details.childElementCount === 1) details.append(list(inner)); };
        if (open.has(inner.path)) { details.open = true; fill(); }
        details.ontoggle = () => {
          if (details.open) { fill(); open.add(inner.path); } else open.delete(inner.path);
          memory.set("open", [...open]);
        };
        return make("li", {}, details);
      });
      const leaves = folder.files.slice().sort((a, b) => natural(a.name, b.name)).map((file) =>
        make("li", {}, make("div", { className: "node" }, make("span", { className: "file" }, make("a", { href: address(files.page[file.row]), title: file.name }, file.name)), ...figures(file))));
      return make("ul", {}, ...items, ...leaves);
    };
    const tree = make("section", { className: "tree", "aria-label": "Folders" },
      make("div", { className: "node head-row" }, make("span", {}, "Folder"), make("span", {}, "statements"), make("span", {}, "missing"), make("span", {}, "coverage")), list(top));
    const all = (isOpen) => {
      let before = -1;
      while (before !== $$("details", tree).length) {
        before = $$("details", tree).length;
        if (before > 3000) break;
        $$("details", tree).forEach((details) => { details.open = isOpen; details.ontoggle(); });
        if (!isOpen) break;
      }
    };
    const buttons = make("p", { className: "controls" },
      make("button", { type: "button", onclick: () => all(true) }, "Open all"), make("button", { type: "button", onclick: () => all(false) }, "Close all"));
    main.replaceChildren(map, buttons, tree);
    const find = (path) => {
      const search = (folder) => (folder.path === path ? folder : [...folder.folders.values()].map(search).find(Boolean));
      return (path && search(top)) || sole;
    };
    const draw = () => treemap(map, find(memory.get("map", "")), sole, files, (path) => { memory.set("map", path); draw(); $("a", map)?.focus(); });
    draw();
    addEventListener("resize", debounce(() => map.isConnected && draw(), 200));
  }

  /** Rectangles of the shape that is nearest to a square: Bruls, Huizing, van Wijk. */
  function squarify(items, x, y, width, height) {
    const placed = [];
    let left = items.filter((item) => item.all > 0).sort((a, b) => b.all - a.all);
    let rest = left.reduce((sum, item) => sum + item.all, 0);
    while (left.length) {
      const side = Math.min(width, height);
      const scale = (width * height) / rest;
      let row = 0;
      let count = 0;
      let worst = Infinity;
      for (let n = 1; n <= left.length; n++) {
        const sum = (row + left[n - 1].all) * scale;
        const ratioOf = (area) => Math.max((side * side * area) / (sum * sum), (sum * sum) / (side * side * area));
        const next = Math.max(ratioOf(left[0].all * scale), ratioOf(left[n - 1].all * scale));
        if (next > worst) break;
        worst = next;
        row += left[n - 1].all;
        count = n;
      }
      const thickness = side ? (row * scale) / side : 0;
      let along = 0;
      for (const item of left.slice(0, count)) {
        const length = thickness ? (item.all * scale) / thickness : 0;
        placed.push(width <= height ? { item, x: x + along, y, w: length, h: thickness } : { item, x, y: y + along, w: thickness, h: length });
        along += length;
      }
      if (width <= height) { y += thickness; height -= thickness; } else { x += thickness; width -= thickness; }
      rest -= row;
      left = left.slice(count);
    }
    return placed;
  }

  const levels = [[0, "below 50 %"], [50, "50 to 75 %"], [75, "75 to 90 %"], [90, "90 % and more"]];
  const level = (node) => { const value = 100 * ratio(node.covered, node.all); return levels.findLastIndex(([from]) => value >= from); };
  function patterns() {
    // The less is covered, the denser the lines: the map is read without colour too.
    return svg("defs", {}, ...[5, 9, 15].map((gap, at) =>
      svg("pattern", { id: `hatch${at}`, width: gap, height: gap, patternUnits: "userSpaceOnUse" }, svg("path", { d: `M0 ${gap}L${gap} 0` }))));
  }

  function treemap(section, folder, top, files, go) {
    const crumbs = make("p", { className: "crumbs" });
    const trail = [];
    for (let at = top; at; at = at === folder ? null : [...at.folders.values()].find((inner) => folder.path.startsWith(inner.path))) trail.push(at);
    trail.forEach((at, index) => {
      if (index) crumbs.append(" / ");
      const name = at === top ? at.name || "all folders" : at.name;
      crumbs.append(at === folder ? make("b", {}, name) : make("button", { type: "button", onclick: () => go(at.path) }, name));
    });
    const width = Math.max(280, section.clientWidth || innerWidth - 32);
    const height = Math.min(0.46 * innerHeight, 416);
    const items = [...folder.folders.values(), ...folder.files];
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" }, patterns());
    let small = 0;
    for (const { item, x, y, w, h } of squarify(items, 0, 0, width, height)) {
      if (w < 3 || h < 3) { small++; continue; }
      const isFolder = Boolean(item.folders);
      const label = `${item.name}${isFolder ? "/" : ""}`;
      const share = `${percent(item.covered, item.all, files.precision)}%`;
      const text = `${label}: ${share}, ${plural(item.statements, "statement")}`;
      const link = svg("a", { href: isFolder ? "#" : address(files.page[item.row]), "aria-label": text });
      if (isFolder) link.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); go(item.path); });
      const box = { x, y, width: w, height: h };
      const title = svg("title");
      title.textContent = text;
      const paint = (node, box) => {
        link.append(svg("rect", { ...box, class: `c${level(node)}` }));
        if (level(node) < 3) link.append(svg("rect", { ...box, class: "hatch", fill: `url(#hatch${level(node)})` }));
      };
      link.append(title);
      if (isFolder && w > 60 && h > 60) {
        // What is in it, below its name.
        link.append(svg("rect", { ...box, class: "frame" }));
        const inner = squarify([...item.folders.values(), ...item.files], x + 2, y + 20, w - 4, h - 22);
        for (const one of inner) if (one.w > 2 && one.h > 2) paint(one.item, { x: one.x, y: one.y, width: one.w, height: one.h });
      } else {
        paint(item, box);
      }
      const room = Math.floor((w - 8) / 7.2);
      if (h > 18 && room > 4) {
        const caption = svg("text", { x: x + 4, y: y + 14 });
        const whole = `${label} ${share}`;
        caption.textContent = whole.length <= room ? whole : `${label.slice(0, Math.max(0, room - 1))}…`;
        link.append(caption);
        if (whole.length > room && h > 34 && !(isFolder && w > 60 && h > 60) && share.length <= room) {
          const second = svg("text", { x: x + 4, y: y + 29 });
          second.textContent = share;
          link.append(second);
        }
      }
      picture.append(link);
    }
    const legend = make("p", { className: "legend" }, "Area: statements and branches.");
    levels.forEach(([, name], at) => {
      const sample = svg("svg", { viewBox: "0 0 26 14", "aria-hidden": "true" }, svg("rect", { width: 26, height: 14, class: `c${at}` }));
      if (at < 3) sample.append(svg("rect", { width: 26, height: 14, class: "hatch", fill: `url(#hatch${at})` }));
      legend.append(make("span", {}, sample, name));
    });
    if (small) legend.append(make("span", {}, `${small} too small to show.`));
    section.replaceChildren(crumbs, picture, legend);
  }

  // Contexts.
  /** Who ran the lines of a page: classes by line, and for each context its classes. */
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
    const decoded = data.sets.map((text) => {
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

  /** `[3, 4, 5, 9]` as `[[3, 5], [9, 9]]`; lines between them that nobody ran, such as comments, do not part them. */
  function ranges(lines, others) {
    const all = [];
    for (const line of lines) {
      const last = all.at(-1);
      if (last && (line === last[1] + 1 || !others(last[1] + 1, line))) last[1] = line;
      else all.push([line, line]);
    }
    return all;
  }

  async function contextsView(main) {
    const [files, names, runs] = await Promise.all([load("files"), load("contexts"), load("runs")]);
    const total = { files: [], lines: [], alone: [] };
    const decoded = names.map((_, context) => {
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
    const open = (context) => { place.replace(`#c=${encodeURIComponent(names[context])}`); show(context); };
    const count = (id, key, label) => ({
      id, key, label, falling: true, value: (row) => total[id][row], cell: (row, cell) => { cell.textContent = total[id][row]; },
    });
    const columns = [
      { id: "context", key: "n", label: "Context", className: "name", value: (row) => row, cell: (row, cell) => {
        cell.append(make("button", { type: "button", title: names[row].slice(0, 400), onclick: () => open(row) }, names[row]));
      } },
      { ...count("files", "f", "files"), className: "wide" }, count("lines", "s", "lines"), count("alone", "m", "lines alone"),
    ];
    const grid = new Grid({ id: "contexts", columns, count: names.length, sort: "context", label: "Contexts", isTall: true });
    const filter = make("input", { type: "search", id: "filter", placeholder: "filter…", "aria-label": "Filter", value: memory.get("filter.contexts", "") });
    const lower = names.map((name) => name.toLowerCase());
    const apply = () => {
      const text = filter.value;
      memory.set("filter.contexts", text);
      const list = text === text.toLowerCase() ? lower : names;
      grid.filter(text ? (row) => list[row].includes(text) : null);
    };
    filter.oninput = debounce(apply);
    main.replaceChildren(chosen, make("form", { className: "controls", onsubmit: (event) => event.preventDefault() }, filter,
      make("span", { className: "soft" }, plural(names.length, "context"))), grid.table, grid.empty);
    apply();

    let isAlone = false;
    async function show(context) {
      const ticket = (show.ticket = (show.ticket ?? 0) + 1);
      const triples = decoded[context];
      const rows = [];
      let file = 0;
      for (let at = 0; at < triples.length; at += 3) {
        file += triples[at];
        if (!isAlone || triples[at + 2]) rows.push({ file, lines: triples[at + 1], alone: triples[at + 2] });
      }
      const choice = (alone, label) => make("button", { type: "button", "aria-pressed": String(isAlone === alone), onclick: () => { isAlone = alone; show(context); } }, label);
      const list = make("ul", { className: "files" });
      const more = make("button", { type: "button", hidden: true });
      chosen.replaceChildren(make("h2", {}, names[context]), make("div", { className: "choice" },
        choice(false, `all it ran: ${plural(total.lines[context], "line")} of ${plural(total.files[context], "file")}`),
        choice(true, `what it alone ran: ${plural(total.alone[context], "line")}`),
        make("button", { type: "button", onclick: () => { chosen.hidden = true; place.replace(""); } }, "Close")), list, more);
      chosen.hidden = false;
      chosen.scrollIntoView({ block: "nearest" });
      let next = 0;
      const fill = async () => {
        const some = rows.slice(next, next + 40);
        next += some.length;
        more.hidden = next >= rows.length;
        more.textContent = `Show more of ${plural(rows.length, "file")}`;
        const items = some.map((row) => make("li", {}, make("a", { href: address(files.page[row.file]) }, files.name[row.file]), make("span", { className: "lines" }, "…")));
        list.append(...items);
        for (const [at, row] of some.entries()) {
          const page = files.page[row.file];
          const data = await contextsOf(page);
          if (ticket !== show.ticket) return;
          const classes = new Set((data.byContext.get(context) ?? []).filter((name) => !isAlone || data.count[name] === 1));
          const known = [...data.classOf.keys()];
          const lines = known.filter((line) => classes.has(data.classOf.get(line)));
          const found = ranges(lines, (from, to) => known.some((line) => line >= from && line < to));
          const label = items[at].lastChild;
          label.replaceChildren(`${isAlone ? row.alone : row.lines}: `, ...found.slice(0, 300).map(([from, to]) =>
            make("a", { href: `${page}.html#t${from}${to > from ? `-${to}` : ""}` }, to > from ? `${from}-${to}` : String(from))));
          if (found.length > 300) label.append("…");
        }
      };
      more.onclick = fill;
      await fill();
    }
    const follow = () => {
      const match = /^#c=(.*)$/s.exec(place.hash());
      if (!match) return;
      let name = match[1];
      try { name = decodeURIComponent(name); } catch { /* as it is */ }
      const context = names.indexOf(name);
      if (context >= 0) show(context);
    };
    onPlace = follow;
    follow();
  }

  // Source.
  function sourceView(main) {
    const header = $(".toggles");
    const { name, page } = header.dataset;
    const items = main.getElementsByTagName("li");
    const lines = $$("ol > li", main);
    const filters = { r: false, m: true, x: true, p: true, ...memory.get("lines", {}) };
    const kindOf = (item) => item.className.charAt(0);
    const isMarked = (item) => {
      const kind = kindOf(item);
      if (!kind || kind === "s") return "";
      if (filters[kind]) return kind;
      return kind === "p" && filters.r ? "r" : "";
    };
    let chunks = [];
    const marks = svg("svg", { class: "marks", "aria-hidden": "true", preserveAspectRatio: "none", viewBox: `0 0 10 ${Math.max(1, lines.length)}` });
    // The strip stands for a page that is longer than the window.
    if (lines.length > 60) document.body.append(marks);
    const recount = () => {
      chunks = [];
      let last = null;
      lines.forEach((item, at) => {
        const kind = isMarked(item);
        if (!kind) { last = null; return; }
        if (last?.kind === kind) last.to = at;
        else chunks.push((last = { kind, from: at, to: at }));
      });
      marks.replaceChildren(...chunks.slice(0, 3000).map(({ kind, from, to }) => svg("rect", { class: kind, x: 2, width: 8, y: from, height: to - from + 1 })));
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
    let selection = null;
    const copy = make("button", { type: "button", className: "copy", hidden: true, "data-key": "y" });
    document.body.append(copy);
    const reference = () => `${name}:${selection[0]}${selection[1] > selection[0] ? `-${selection[1]}` : ""}`;
    const select = (from, to, scrolls) => {
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
    const show = (at) => {
      if (lines[at] && !lines[at].hasAttribute("data-new") && main.classList.contains("only")) only.click();
      lines[at]?.scrollIntoView({ block: "start" });
      // Blocks out of sight have guessed heights.
      requestAnimationFrame(() => lines[at]?.scrollIntoView({ block: "start" }));
    };
    const follow = () => {
      const match = /^#t(\d+)(?:-t?(\d+))?$/.exec(place.hash());
      if (match) select(Number(match[1]), Number(match[2] ?? match[1]), true);
    };
    onPlace = follow;
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
    main.addEventListener("click", (event) => {
      const button = event.target.closest("button.ctx");
      if (button) { toggleContexts(button, page); return; }
      const number = event.target.closest("ol > li > a");
      if (!number || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const line = Number(number.textContent);
      const from = event.shiftKey && selection ? selection[0] : line;
      select(from, line, false);
      place.replace(`#t${selection[0]}${selection[1] > selection[0] ? `-${selection[1]}` : ""}`);
    });
    follow();
    // Before the first chunk is -1; `j` and `k` go from the chosen chunk, or from what is in sight.
    const top = () => parseFloat(root.style.getPropertyValue("--top")) || 0;
    const current = () => (selection ? selection[0] - 1 : lines.findIndex((item) => item.getBoundingClientRect().top >= top()) - 1);
    const goto = (chunk) => {
      if (!chunk) { say("No more"); return; }
      select(chunk.from + 1, chunk.to + 1, true);
      place.replace(`#t${chunk.from + 1}${chunk.to > chunk.from ? `-${chunk.to + 1}` : ""}`);
      const what = { r: "run", m: "missing", x: "excluded", p: "partial" }[chunk.kind];
      say(`Line ${chunk.from + 1}${chunk.to > chunk.from ? ` to ${chunk.to + 1}` : ""}, ${what}`);
    };
    Object.assign(keys, {
      j: () => { const at = selection ? selection[1] - 1 : current(); goto(chunks.find((chunk) => chunk.from > at)); },
      k: () => { const at = current(); goto(chunks.findLast((chunk) => chunk.to < at)); },
      0: () => { select(0, 0, false); place.replace(""); scrollTo(0, 0); },
      1: () => goto(chunks[0]),
    });
    goToLine = (line) => { if (items.length) { select(line, line, true); place.replace(`#t${line}`); } };
  }

  /** Below a line, who ran it; found as one types. */
  async function toggleContexts(button, page) {
    const item = button.closest("li");
    const open = $(".who", item);
    if (open) { open.remove(); button.setAttribute("aria-expanded", "false"); return; }
    const [names, data] = await Promise.all([load("contexts"), contextsOf(page)]);
    if ($(".who", item)) return;
    const kind = data.classOf.get(Number(item.id.slice(1)));
    const found = [...data.byContext].filter(([, classes]) => classes.includes(kind)).map(([context]) => names[context]);
    const list = make("ul");
    const filter = make("input", { type: "search", placeholder: `find in ${plural(found.length, "context")}…`, "aria-label": "Find a context" });
    const fill = () => {
      const text = filter.value.toLowerCase();
      const some = found.filter((name) => name.toLowerCase().includes(text));
      list.replaceChildren(...some.slice(0, 500).map((name) => make("li", {}, make("a", { href: `contexts.html#c=${encodeURIComponent(name)}` }, name))));
      if (some.length > 500) list.append(make("li", {}, `and ${some.length - 500} more`));
    };
    filter.oninput = debounce(fill);
    fill();
    const panel = make("div", { className: "who" }, found.length > 8 ? filter : null, list);
    item.append(panel);
    button.setAttribute("aria-expanded", "true");
    (found.length > 8 ? filter : $("a", list))?.focus({ preventScroll: true });
  }

  // Search, from every page.
  async function search() {
    if ($("dialog[open]")) return;
    const input = make("input", { type: "search", placeholder: "file, function, class or text", "aria-label": "Search", role: "combobox", "aria-expanded": "true", "aria-controls": "found", "aria-autocomplete": "list", autocomplete: "off", spellcheck: false });
    const list = make("ul", { className: "found", id: "found", role: "listbox", "aria-label": "Results" });
    const state = make("p", { className: "state", role: "status" });
    const dialog = make("dialog", { className: "search", "aria-label": "Search" }, input, list, state);
    document.body.append(dialog);
    dialog.onclose = () => dialog.remove();
    dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
    dialog.showModal();
    const [files, functions, classes] = await Promise.all([load("files"), load("functions"), load("classes")]);
    const byPage = new Map(files.page.map((page, row) => [page, files.name[row]]));
    let ticket = 0;
    let chosen = -1;
    const choose = (at) => {
      const items = [...list.children];
      items[chosen]?.setAttribute("aria-selected", "false");
      chosen = items.length ? (at + items.length) % items.length : -1;
      items[chosen]?.setAttribute("aria-selected", "true");
      items[chosen]?.scrollIntoView({ block: "nearest" });
      if (chosen >= 0) input.setAttribute("aria-activedescendant", items[chosen].id);
    };
    const add = (kind, href, ...what) => {
      const item = make("li", { role: "option", id: `found${list.childElementCount}`, "aria-selected": "false" }, make("span", { className: "kind" }, kind), make("span", { className: "where" }, ...what));
      item.dataset.href = href;
      item.onclick = () => { dialog.close(); visit(href); };
      list.append(item);
      if (chosen < 0) choose(0);
    };
    const marked = (text, from, length) => [visible(text.slice(0, from)), make("mark", {}, visible(text.slice(from, from + length))), visible(text.slice(from + length))];
    const run = async () => {
      const mine = ++ticket;
      const text = input.value.trim();
      list.replaceChildren();
      chosen = -1;
      state.textContent = "";
      const line = /^:(\d+)$/.exec(text);
      if (line && goToLine) { add("line", `#t${line[1]}`, `go to line ${line[1]}`); return; }
      if (!text) return;
      const isExact = text !== text.toLowerCase();
      const at = (name) => (isExact ? name : name.toLowerCase()).indexOf(text);
      let shown = 0;
      const names = (kind, list, href, extra) => {
        // Nearer to the end is better: `cart` means cart.py before cart/old.py.
        const hits = [];
        list.forEach((name, row) => { const found = name === null ? -1 : at(name); if (found >= 0) hits.push([name.length - found, row, found]); });
        hits.sort((a, b) => a[0] - b[0]);
        for (const [, row, found] of hits.slice(0, 25)) add(kind, href(row), ...marked(list[row], found, text.length), ...extra(row));
        shown += hits.length;
      };
      names("file", files.name, (row) => address(files.page[row]), () => []);
      for (const [kind, table] of [["function", functions], ["class", classes]]) {
        names(kind, table.name, (row) => address(files.page[table.file[row]], table.line[row]), (row) => [make("small", {}, ` ${files.name[table.file[row]]}:${table.line[row]}`)]);
      }
      if (text.length < 2) return;
      const pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), isExact ? "g" : "gi");
      let hits = 0;
      for await (const [page, source, done] of sources(files, () => ticket === mine)) {
        if (ticket !== mine || !dialog.open) return;
        state.textContent = `${plural(shown, "name")}, ${plural(hits, "line")}; ${done}`;
        pattern.lastIndex = 0;
        let last = 0;
        let number = 1;
        for (let match = pattern.exec(source); match && hits < 300; match = pattern.exec(source)) {
          for (let newline = source.indexOf("\n", last); newline >= 0 && newline < match.index; newline = source.indexOf("\n", last)) { number++; last = newline + 1; }
          const end = source.indexOf("\n", match.index);
          const whole = source.slice(last, end < 0 ? undefined : end);
          const start = Math.max(0, match.index - last - 40);
          const shownLine = whole.slice(start, start + 200);
          add("text", address(page, number), ...marked(shownLine.trimStart(), match.index - last - start - (shownLine.length - shownLine.trimStart().length), match[0].length), make("small", {}, ` ${byPage.get(page)}:${number}`));
          hits++;
          if (end < 0) break;
          pattern.lastIndex = end + 1;
        }
        if (hits >= 300) break;
      }
      state.textContent = `${plural(shown, "name")}, ${hits >= 300 ? "the first " : ""}${plural(hits, "line")} of source`;
    };
    input.oninput = debounce(run, 120);
    input.onkeydown = (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) { event.preventDefault(); choose(chosen + step); }
      if (event.key === "Enter") { event.preventDefault(); list.children[chosen]?.click(); }
    };
    input.focus();
    if (input.value) run();
  }

  /** The source text in the HTML of a page: of each line what stands between its number and its annotations, without elements. */
  function sourceOf(html) {
    const lines = html.split("<li id=t").slice(1).map((item) => item.slice(item.indexOf("</a>") + 4).replace(/<(?:details|button|span|\/ol)[^]*/, ""));
    return lines.join("\n").replace(/<mark data-c="U\+(\w+)"><\/mark>/g, (_, code) => String.fromCodePoint(parseInt(code, 16)))
      .replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
  }

  /** Every page's source text. */
  async function* sources(files, isWanted) {
    if (isSingle) {
      const pages = [...single.parts].filter(([, part]) => part.dataset.view === "source");
      for (const [at, [page, part]] of pages.entries()) {
        if (!part.plain && at % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
        if (!isWanted()) return;
        part.plain ??= sourceOf(part.textContent);
        yield [page, part.plain, `searched ${at} of ${plural(pages.length, "file")}`];
      }
      return;
    }
    for (let at = 0; at < files.texts && isWanted(); at++) {
      for (const [page, text] of await load(`text${at}`)) yield [page, text, `searched ${at} of ${files.texts} parts`];
    }
  }

  // Help and themes.
  function help() {
    const open = $("dialog[open]");
    if (open) { open.close(); return; }
    const list = make("dl", { className: "keys" });
    const row = (keys, text) => {
      const term = make("dt");
      keys.split(" ").forEach((key) => term.append(make("kbd", {}, key), " "));
      list.append(term, make("dd", {}, text));
    };
    if (document.body.dataset.view === "source") {
      row($(".toggles [data-key=p]") ? "r m x p" : "r m x", "toggle line displays");
      if ($("[data-only]")) row("c", "show only changed lines");
      row("j k", "next, previous highlighted chunk");
      row("0", "top of page");
      row("1", "first highlighted chunk");
      row("y", "copy the chosen lines as path:line");
      row("u", "up to the index");
    } else {
      const sorts = $$("th [data-key]").map((button) => button.dataset.key).join(" ");
      if (sorts) row(sorts, "change column sorting");
    }
    row("[ ]", "previous, next file");
    row("/", "search files, functions, classes and source; :12 goes to line 12");
    row("?", "show, hide this help");
    const hint = document.body.dataset.view === "source" ? "Click a line's number to choose it, with Shift to choose a range; its address can be shared." : "";
    const dialog = make("dialog", { "aria-label": "Keyboard shortcuts" }, make("h2", {}, "Shortcuts on this page"), list, hint && make("p", {}, hint), make("button", { type: "button", onclick: () => dialog.close() }, "Close"));
    dialog.onclose = () => dialog.remove();
    document.body.append(dialog);
    dialog.showModal();
  }
  const themes = ["auto", "light", "dark"];
  function applyTheme() {
    const theme = memory.get("theme", "auto");
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    const button = $("[data-do=theme]");
    if (button) button.textContent = `Theme: ${theme}`;
  }
  function nextTheme() {
    const at = themes.indexOf(memory.get("theme", "auto"));
    memory.set("theme", themes[(at + 1) % themes.length]);
    applyTheme();
  }
  applyTheme();

  // Keys: an element's `data-key`, or what a view adds.
  let keys = {};
  let onPlace = null;
  let goToLine = null;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const field = event.target.closest?.("input, textarea, select");
    if (field && field.type !== "checkbox") {
      if (event.key === "Escape" && !$("dialog[open]")) field.blur();
      return;
    }
    if ($("dialog[open]") && event.key !== "?") return;
    if (event.key in keys) { event.preventDefault(); keys[event.key](); return; }
    const target = $$("[data-key]").find((element) => element.dataset.key === event.key && !element.closest("dialog"));
    if (target) { event.preventDefault(); target.click(); return; }
    if (event.key === "[") $("#prev")?.click();
    if (event.key === "]") $("#next")?.click();
  });
  addEventListener("hashchange", () => { if (!isSingle) onPlace?.(); else single.follow(); });

  function visit(href) {
    if (isSingle) {
      const [page, hash] = href.split("#");
      location.hash = `${page || `${single.page}.html`}${hash ? `:${hash}` : ""}`;
    } else if (href.startsWith("#")) {
      location.hash = href;
    } else {
      location.href = href;
    }
  }

  function start() {
    const main = $("#main");
    if (!main) return;
    keys = {};
    onPlace = goToLine = null;
    $$(".marks, .copy").forEach((element) => element.remove());
    $$(".tools").forEach((tools) => { tools.hidden = false; });
    $("[data-do=search]").onclick = search;
    $("[data-do=help]").onclick = help;
    $("[data-do=theme]").onclick = nextTheme;
    applyTheme();
    const head = $(".top");
    const measure = () => root.style.setProperty("--top", getComputedStyle(head).position === "sticky" ? `${head.offsetHeight}px` : "0px");
    new ResizeObserver(measure).observe(head);
    measure();
    const view = document.body.dataset.view;
    const views = { index: listView, function_index: listView, class_index: listView, tree: treeView, worst: worstView, contexts: contextsView, source: sourceView };
    Promise.resolve(views[view]?.(main, view)).then(() => { main.dataset.ready = ""; performance.mark("ready"); }).catch((error) => {
      main.prepend(make("p", { className: "note", role: "alert" }, `Part of the report is missing: ${error.message}.`));
      throw error;
    });
  }

  // A single file: its pages are text that becomes elements when it is shown, and `#page.html:t12` says which one is shown.
  const single = {
    parts: new Map(),
    page: "",
    follow() {
      const [, page, hash] = /^#?([^:]*?)(?:\.html)?(?::(.*))?$/s.exec(location.hash) ?? [];
      const name = single.parts.has(page) ? page : "index";
      if (name === single.page) { onPlace?.(); return; }
      single.page = name;
      const part = single.parts.get(name);
      $$("body > :not(script):not(noscript)").forEach((element) => element.remove());
      document.body.dataset.view = part.dataset.view;
      document.title = part.dataset.title;
      document.body.prepend(make("template", { innerHTML: part.textContent }).content);
      if (!hash) scrollTo(0, 0);
      start();
    },
    start() {
      $$("script[data-page]").forEach((part) => single.parts.set(part.dataset.page, part));
      addEventListener("click", (event) => {
        const href = event.target.closest?.("a[href]")?.getAttribute("href");
        if (!href || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
        event.preventDefault();
        if (href.startsWith("#") && !/^#t\d/.test(href)) { $(href)?.focus(); return; }
        visit(href);
      });
      single.follow();
    },
  };
  document.addEventListener("DOMContentLoaded", isSingle ? single.start : start);
})();
