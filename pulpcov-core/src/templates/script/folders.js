// The folders as a tree and as a map.

/**
 * @typedef {object} Folder A folder or a file with the numbers of all files in it.
 * @property {string} name
 * @property {string} path
 * @property {Map<string, Folder> | null} folders `null` for a file.
 * @property {Folder[]} files
 * @property {number} row The row of a file.
 * @property {number} covered
 * @property {number} all
 * @property {number} missing
 * @property {number} statements
 * @property {number} excluded
 * @property {number} branches
 * @property {number} partial
 * @property {number} missing_branches
 * @property {number} failing The number of files below their floors.
 * @property {[number, number] | null} before What was covered before, and how much there was, of the files that are not new.
 */

/** @type {(name: string, path: string, folders: Map<string, Folder> | null, row?: number) => Folder} */
const newFolder = (name, path, folders, row = -1) => ({
  name, path, folders, files: [], row, covered: 0, all: 0, missing: 0, statements: 0, excluded: 0, branches: 0, partial: 0, missing_branches: 0, failing: 0, before: null,
});

/**
 * Returns the folder of all files.
 * @param {any} files
 */
function foldersOf(files) {
  const top = newFolder("", "", new Map());
  const add = (/** @type {Folder} */ folder, /** @type {number} */ row) => {
    for (const name of counts) folder[name] += files[name][row];
    folder.covered += executed(files, row) + taken(files, row);
    folder.all += files.statements[row] + files.branches[row];
    if (files.judged?.[row]?.[0]) folder.failing++;
    const old = files.before?.[row];
    if (old) folder.before = [(folder.before?.[0] ?? 0) + old[0], (folder.before?.[1] ?? 0) + old[1]];
  };
  files.name.forEach((/** @type {string} */ name, /** @type {number} */ row) => {
    const parts = name.split(/[/\\]/);
    let folder = top;
    add(top, row);
    for (const part of parts.slice(0, -1)) {
      let inner = folder.folders.get(part);
      if (!inner) {
        inner = newFolder(part, `${folder.path}${part}/`, new Map());
        folder.folders.set(part, inner);
      }
      folder = inner;
      add(folder, row);
    }
    const file = newFolder(parts.at(-1), name, null, row);
    add(file, row);
    folder.files.push(file);
  });
  // What a folder had before, it has lost.
  for (const [name, [covered, all]] of files.gone ?? []) {
    let folder = top;
    for (const part of name.split(/[/\\]/).slice(0, -1)) {
      folder = folder.folders.get(part);
      if (!folder) break;
      folder.before = [(folder.before?.[0] ?? 0) + covered, (folder.before?.[1] ?? 0) + all];
    }
  }
  // A folder with nothing but a folder is shown as one with it.
  const fold = (/** @type {Folder} */ folder) => {
    while (folder !== top && !folder.files.length && folder.folders.size === 1) {
      const [inner] = folder.folders.values();
      Object.assign(folder, { name: `${folder.name}/${inner.name}`, path: inner.path, folders: inner.folders, files: inner.files });
    }
    folder.folders.forEach(fold);
  };
  fold(top);
  return top;
}

/**
 * The tree: a list whose rows open, as ARIA's pattern of a treegrid says.
 * https://www.w3.org/WAI/ARIA/apg/patterns/treegrid/
 */
class Tree extends Grid {
  /**
   * @param {Folder} top
   * @param {any} files
   * @param {(folder: Folder) => void} pin
   * @param {Runs | null} runs
   */
  constructor(top, files, pin, runs) {
    /** @type {Folder[]} */
    const nodes = [];
    /** @type {number[]} */
    const levels = [];
    const numbersOf = new Map();
    const add = (/** @type {Folder} */ folder, /** @type {number} */ level) => {
      for (const inner of [...folder.folders.values(), ...folder.files]) {
        numbersOf.set(inner, nodes.length);
        nodes.push(inner);
        levels.push(level);
        if (inner.folders) add(inner, level + 1);
      }
    };
    add(top, 1);
    const { has_branches: hasBranches, precision } = files;
    /** @type {(id: Count, key: string, className: string) => Column} */
    const count = (id, key, className) => ({
      id, key, className, label: id, falling: true, value: (row) => nodes[row][id],
      cell: (row, cell) => { cell.textContent = thousands(nodes[row][id]); },
    });
    /** @type {Column[]} */
    const columns = [{
      id: "folder", key: "f", label: "Folder", className: "name", isText: true, value: (row) => nodes[row].name,
      cell: (row, cell) => this.nameCell(row, cell),
    }, count("statements", "s", "second"), count("missing", "m", "last")];
    if (hasBranches) columns.push(count("branches", "b", "third"), count("partial", "p", "third"));
    columns.push({
      id: "coverage", key: "c", label: "coverage", className: "cover", value: (row) => ratio(nodes[row].covered, nodes[row].all),
      cell: (row, cell) => coverCell(cell, nodes[row].covered, nodes[row].all, precision, "no statements"),
    });
    showBelowFloor(columns.at(-1), files, (row) => nodes[row].row);
    if (files.before) columns.push(changeColumn((row) => nodes[row].before, (row) => nodes[row].covered, (row) => nodes[row].all));
    if (runs) {
      const points = (/** @type {number} */ row) => (nodes[row].folders ? runs.folders[nodes[row].path] : runs.files[nodes[row].row]);
      columns.push(historyColumn(runs, precision, points, (row) => nodes[row].path));
    }
    super({ id: "folders", columns, count: nodes.length, sort: "folder", label: "Folders" });
    this.top = top;
    this.files = files;
    this.pin = pin;
    this.nodes = nodes;
    this.levels = levels;
    this.numbersOf = numbersOf;
    this.current = 0;
    this.table.setAttribute("role", "treegrid");
    this.table.classList.add("tree");
    /** @type {Set<string>} */
    this.open = new Set();
    this.table.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
    this.table.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const row = target.closest("tbody tr");
      if (!row || target.closest("a, button")) return;
      this.toggle(Number(/** @type {HTMLElement} */ (row).dataset.row));
    });
  }

  /** Returns the nodes that are not in a closed folder, siblings in order. */
  inOrder() {
    const { column, flipped } = this.order;
    /** @type {number[]} */
    const rows = [];
    const compare = (/** @type {any} */ a, /** @type {any} */ b) => {
      const [left, right] = [column.value(a), column.value(b)];
      const order = column.isText ? natural(left, right) : left - right;
      return order * (column.falling ? -1 : 1) * (flipped ? -1 : 1);
    };
    const add = (/** @type {Folder} */ folder) => {
      // By name, folders come before files.
      const parts = [[...folder.folders.values()], folder.files].map((list) => list.map((inner) => this.numbersOf.get(inner)));
      const sorted = column.isText ? parts.flatMap((part) => part.sort(compare)) : parts.flat().sort(compare);
      for (const row of sorted) {
        rows.push(row);
        if (this.open.has(this.nodes[row].path)) add(this.nodes[row]);
      }
    };
    add(this.top);
    return Uint32Array.from(rows);
  }

  /**
   * @param {number} row
   * @param {HTMLElement} cell
   */
  nameCell(row, cell) {
    const node = this.nodes[row];
    cell.style.setProperty("--level", String(this.levels[row] - 1));
    if (!node.folders) {
      cell.append(make("a", { href: address(this.files.page[node.row]), className: "leaf", tabIndex: -1 }, node.name));
      addFloor(this.files, node.row, cell);
      return;
    }
    cell.append(make("span", { className: "twist", "aria-hidden": "true" }), make("span", { className: "folder" }, `${node.name}/`),
      make("button", { type: "button", className: "pin", tabIndex: -1, title: "Pin, to compare it with another folder", "aria-label": `Pin ${node.path}`, onclick: () => this.pin(node) }, "Pin"));
    if (node.failing) cell.append(make("small", { className: "floor fail" }, `${thousands(node.failing)} below floor`));
  }

  /** @param {number} number */
  row(number) {
    const row = super.row(number);
    const node = this.nodes[number];
    row.setAttribute("aria-level", String(this.levels[number]));
    row.tabIndex = -1;
    row.dataset.path = node.path;
    if (node.folders) row.setAttribute("aria-expanded", String(this.open.has(node.path)));
    return row;
  }

  update() {
    super.update();
    // One row can be reached by Tab.
    const focusable = this.made[this.current] && this.rows.includes(this.current) ? this.current : this.rows[0];
    this.current = focusable;
    if (this.made[focusable]) this.made[focusable].tabIndex = 0;
  }

  /**
   * Opens or closes a folder, or opens a file's page.
   * @param {number} row
   */
  toggle(row) {
    const node = this.nodes[row];
    if (!node.folders) return;
    if (!this.open.delete(node.path)) this.open.add(node.path);
    this.made[row].setAttribute("aria-expanded", String(this.open.has(node.path)));
    this.opened();
    this.update();
    this.focus(row);
  }

  /** @param {boolean} isOpen */
  openAll(isOpen) {
    this.open = new Set(isOpen ? this.nodes.filter((node) => node.folders).map((node) => node.path) : []);
    this.opened();
    this.update();
  }

  /** Keeps which folders are open. */
  opened() {
    memory.set("open", [...this.open]);
    this.made.forEach((row, number) => {
      if (this.nodes[number].folders) row.setAttribute("aria-expanded", String(this.open.has(this.nodes[number].path)));
    });
  }

  /** @param {number} row */
  focus(row) {
    if (this.made[this.current]) this.made[this.current].tabIndex = -1;
    this.current = row;
    const element = this.reveal(row);
    if (!element) return;
    element.tabIndex = 0;
    element.focus();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const element = /** @type {HTMLElement} */ (event.target);
    if (element.tagName !== "TR" || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = Number(element.dataset.row);
    const at = this.rows.indexOf(row);
    const node = this.nodes[row];
    const isOpen = this.open.has(node.path);
    const go = (/** @type {number} */ to) => this.rows[to] !== undefined && this.focus(this.rows[to]);
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(this.rows.length - 1),
      ArrowRight: () => (node.folders && !isOpen ? this.toggle(row) : node.folders && go(at + 1)),
      ArrowLeft: () => {
        if (node.folders && isOpen) { this.toggle(row); return; }
        let parent = at - 1;
        while (parent >= 0 && this.levels[this.rows[parent]] >= this.levels[row]) parent--;
        if (parent >= 0) go(parent);
      },
      Enter: () => (node.folders ? this.toggle(row) : $("a", element).click()),
      " ": () => this.toggle(row),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}

/**
 * Shows two folders side by side.
 * @param {Folder[]} pinned
 * @param {any} files
 * @param {(folder: Folder) => void} unpin
 */
function pinnedFolders(pinned, files, unpin) {
  if (!pinned.length) return "";
  /** @type {Count[]} */
  const rows = ["statements", "missing", "excluded", ...(files.has_branches ? /** @type {Count[]} */ (["branches", "partial"]) : [])];
  const share = (/** @type {Folder} */ folder) => {
    const cell = make("td", { className: "cover" });
    coverCell(cell, folder.covered, folder.all, files.precision, "no statements");
    return cell;
  };
  return make("table", { className: "pinned", "aria-label": "Pinned folders" },
    make("thead", {}, make("tr", {}, make("td"), ...pinned.map((folder) => make("th", { scope: "col" }, folder.path,
      make("button", { type: "button", "aria-label": `Unpin ${folder.path}`, onclick: () => unpin(folder) }, "✕"))))),
    make("tbody", {},
      make("tr", {}, make("th", { scope: "row" }, "coverage"), ...pinned.map(share)),
      ...rows.map((id) => make("tr", {}, make("th", { scope: "row" }, id), ...pinned.map((folder) => make("td", {}, thousands(folder[id])))))));
}

/** @param {HTMLElement} main */
async function treeView(main) {
  const files = filesOfLanguage(await load("files"));
  const runs = files.history ? await load("history") : null;
  const top = foldersOf(files);
  if (!files.name.length) {
    main.replaceChildren(make("p", { className: "note" }, "The report has no files."));
    return;
  }
  const map = make("section", { className: "map", "aria-label": "Map of the folders" });
  const side = make("div", { className: "side" });
  // The tree and the map begin in the only folder.
  const sole = !top.files.length && top.folders.size === 1 ? [...top.folders.values()][0] : top;
  const find = (/** @type {string} */ path) => {
    /** @type {(folder: Folder) => Folder | undefined} */
    const search = (folder) => (folder.path === path ? folder : [...folder.folders.values()].map(search).find(Boolean));
    return (path && search(top)) || null;
  };
  const pins = () => [...new Set(settings.read().getAll("pin").map(find).filter(Boolean))];
  const setPins = (/** @type {Folder[]} */ folders) => {
    const all = settings.read();
    all.delete("pin");
    folders.slice(-2).forEach((folder) => all.append("pin", folder.path));
    place.push(all.toString());
    drawPins();
  };
  const unpin = (/** @type {Folder} */ folder) => setPins(pins().filter((one) => one !== folder));
  const drawPins = () => side.replaceChildren(pinnedFolders(pins(), files, unpin));
  const tree = new Tree(top, files, (folder) => {
    setPins([...pins().filter((one) => one !== folder), folder]);
    say(`Pinned ${folder.path}`);
    side.scrollIntoView({ block: "nearest" });
  }, runs);
  const kept = memory.get("open", null);
  tree.open = new Set(Array.isArray(kept) ? kept : sole === top ? [] : [sole.path]);
  const buttons = make("p", { className: "controls" },
    make("button", { type: "button", onclick: () => tree.openAll(true) }, "Open all"), make("button", { type: "button", onclick: () => tree.openAll(false) }, "Close all"));
  main.replaceChildren(map, side, buttons, tree.element);
  tree.update();
  drawPins();
  const go = (/** @type {string} */ path) => {
    settings.write({ folder: path }, true);
    draw();
    $("a", map)?.focus();
  };
  const draw = () => treemap(map, find(settings.read().get("folder")) ?? sole, sole, files, go);
  draw();
  onPlace = () => {
    draw();
    drawPins();
    tree.follow();
    restorePosition();
  };
  followLanguage();
  addEventListener("resize", debounce(() => map.isConnected && draw(), 200), { signal: pageEnd.signal });
}
