// Lists. All names are in the document, so the browser's own search finds them. Numbers are added to the rows in sight.

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} [key] The key that sorts by this column.
 * @property {string} label
 * @property {string} [title] What the label means.
 * @property {string} [className] `name` for names, which come first, and `second`, `third` for what gives way in this order.
 * @property {boolean} [falling] Whether the largest value comes first.
 * @property {boolean} [isText] Whether values are sorted as names.
 * @property {(row: number) => any} value
 * @property {(row: number, cell: HTMLTableCellElement) => void} cell
 */

/** The number of rows in a block. Blocks out of sight have no layout. */
const BLOCK = 40;

class Grid {
  /**
   * @param {object} options
   * @param {string} options.id What the order is remembered by.
   * @param {Column[]} options.columns
   * @param {number} options.count The number of rows.
   * @param {string} [options.sort] The column that is sorted by at first.
   * @param {ArrayLike<number>} [options.base] The order of rows that are equal.
   * @param {(rows: ArrayLike<number>, isPart: boolean) => HTMLElement[]} [options.total] The cells of the last row.
   * @param {string} options.label
   */
  constructor({ id, columns, count, sort, base, total, label }) {
    this.id = id;
    this.columns = columns;
    this.total = total;
    this.all = Uint32Array.from({ length: count }, (_, row) => base?.[row] ?? row);
    /** @type {Uint32Array} */
    this.rows = this.all;
    /** @type {HTMLTableRowElement[]} */
    this.made = [];
    /** @type {HTMLTableSectionElement[]} */
    this.blocks = [];
    this.building = 0;
    /** @type {Map<string, Uint32Array>} */
    this.sorted = new Map();
    /** @type {((row: number) => boolean) | null} */
    this.wanted = null;
    const two = columns.filter((column) => column.className?.includes("name")).length > 1;
    const more = columns.some(({ id }) => id === "change" || id === "history");
    this.table = make("table", { className: `grid live ${two ? "two" : ""} ${more ? "more" : ""}`, "aria-label": label });
    this.head = make("tr");
    for (const column of columns) {
      const button = make("button", { type: "button", title: column.title ?? "" }, column.label);
      if (column.key) button.dataset.key = column.key;
      button.onclick = () => this.sortBy(column, this.order.column === column && !this.order.flipped);
      this.head.append(make("th", { scope: "col", className: column.className ?? "", "data-column": column.id }, button));
    }
    this.foot = make("tr");
    this.end = make("tfoot", { hidden: !total }, this.foot);
    this.table.append(make("thead", {}, this.head), this.end);
    this.empty = make("p", { className: "note", hidden: true });
    this.element = make("div", { className: "list" }, this.table, this.empty);
    this.sight = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.fill(this.blocks.indexOf(/** @type {any} */ (entry.target)));
    }, { rootMargin: "30%" });
    this.first = columns.find((column) => column.id === sort) ?? columns[0];
    this.order = this.kept();
    addEventListener("beforeprint", () => this.blocks.forEach((_, at) => this.fill(at)), { signal: pageEnd.signal });
    anchorOf = () => this.anchor();
    elementOf = (name) => (/^row\d+$/.test(name) ? this.reveal(Number(name.slice(3))) : elementById(name));
  }

  /** Returns the order that the address says. A page that is opened anew begins with the one that is remembered. */
  kept() {
    const address = settings.read();
    const isNew = !address.has("sort") && !history.state;
    const saved = isNew ? memory.get(`sort.${this.id}`, null) : { column: address.get("sort"), flipped: address.get("reverse") === "1" };
    if (isNew && saved?.column) settings.write({ sort: saved.column, reverse: saved.flipped ? "1" : "" });
    const column = this.columns.find((column) => column.id === saved?.column) ?? this.first;
    return { column, flipped: saved?.column === column.id && Boolean(saved.flipped) };
  }

  /**
   * @param {Column} column
   * @param {boolean} flipped
   */
  sortBy(column, flipped) {
    this.order = { column, flipped };
    memory.set(`sort.${this.id}`, { column: column.id, flipped });
    settings.write({ sort: column.id, reverse: flipped ? "1" : "" }, true);
    this.update();
  }

  /** Follows the address, after Back for example. */
  follow() {
    this.order = this.kept();
    this.update();
  }

  /**
   * Shows some rows, or all.
   * @param {((row: number) => boolean) | null} wanted
   */
  filter(wanted) {
    this.wanted = wanted;
    this.update();
  }

  /** Returns all rows in the order of a column. Filters are typed, so the order is kept. */
  inOrder() {
    const { column, flipped } = this.order;
    let rows = this.sorted.get(column.id);
    if (!rows) {
      let values = Array.from({ length: this.all.length }, (_, row) => column.value(row));
      if (column.isText) values = ranks(values);
      const direction = column.falling ? -1 : 1;
      rows = this.all.slice().sort((a, b) => direction * (values[a] - values[b]));
      this.sorted.set(column.id, rows);
    }
    if (this.wanted) rows = rows.filter(this.wanted);
    return flipped ? rows.slice().reverse() : rows;
  }

  update() {
    this.rows = this.inOrder();
    const { column, flipped } = this.order;
    [...this.head.cells].forEach((cell, at) => {
      const falls = Boolean(column.falling) !== flipped;
      cell.setAttribute("aria-sort", this.columns[at] === column ? (falls ? "descending" : "ascending") : "none");
    });
    this.table.setAttribute("aria-rowcount", String(this.rows.length + (this.total ? 2 : 1)));
    this.empty.hidden = this.rows.length > 0;
    this.table.hidden = !this.empty.hidden;
    if (this.total) this.foot.replaceChildren(...this.total(this.rows, Boolean(this.wanted) && this.rows.length < this.all.length));
    // The rows leave the document and come back, and the focus with them.
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    const row = this.table.contains(focused) && /** @type {HTMLElement} */ (focused.closest("[data-row]"));
    this.build();
    if (row && this.reveal(Number(row.dataset.row))) focused.focus({ preventScroll: true });
  }

  /** Puts the rows into the table: those in sight at once, and the names of the others bit by bit. */
  async build() {
    const ticket = ++this.building;
    this.sight.disconnect();
    this.blocks.forEach((block) => block.remove());
    this.blocks = [];
    for (let at = 0; at < this.rows.length; at += BLOCK) {
      const block = make("tbody", { className: "later" });
      block.style.setProperty("--rows", String(Math.min(BLOCK, this.rows.length - at)));
      this.blocks.push(block);
    }
    this.end.before(...this.blocks);
    // A list that is not in the document yet has no sizes.
    const isInSight = (/** @type {HTMLElement} */ block) => {
      const box = block.getBoundingClientRect();
      return box.bottom > 0 && box.top < innerHeight;
    };
    if (this.table.isConnected) this.blocks.map(isInSight).forEach((isSeen, at) => isSeen && this.fill(at));
    else this.fill(0);
    this.blocks.forEach((block) => this.sight.observe(block));
    const pace = new Pace();
    for (let at = 0; at < this.blocks.length; at++) {
      await pace.step();
      if (ticket !== this.building) return;
      this.put(at);
    }
    this.table.dataset.complete = "";
  }

  /**
   * Puts the names of a block's rows into it.
   * @param {number} at
   */
  put(at) {
    const block = this.blocks[at];
    if (!block?.classList.contains("later")) return;
    const first = at * BLOCK;
    const rows = [...this.rows.subarray(first, first + BLOCK)].map((row, place) => {
      const made = this.made[row] ??= this.row(row);
      made.setAttribute("aria-rowindex", String(first + place + 2));
      return made;
    });
    block.append(...rows);
    block.classList.remove("later");
  }

  /**
   * Completes the rows of a block.
   * @param {number} at
   */
  fill(at) {
    if (!this.blocks[at]) return;
    this.put(at);
    for (const row of /** @type {any} */ (this.blocks[at].rows)) {
      if (row.cells.length === this.columns.length) continue;
      const number = Number(row.dataset.row);
      for (const column of this.columns.slice(row.cells.length)) this.cell(row, column, number);
    }
    this.sight.unobserve(this.blocks[at]);
  }

  /**
   * Makes a row with its names only.
   * @param {number} number
   * @returns {HTMLTableRowElement}
   */
  row(number) {
    const row = make("tr", { "data-row": number });
    for (const column of this.columns) {
      if (!column.className?.includes("name")) break;
      this.cell(row, column, number);
    }
    return row;
  }

  /**
   * @param {HTMLTableRowElement} row
   * @param {Column} column
   * @param {number} number
   */
  cell(row, column, number) {
    const cell = row.insertCell();
    if (column.className) cell.className = column.className;
    column.cell(number, cell);
  }

  /**
   * Returns the element of a row.
   * @param {number} number
   */
  reveal(number) {
    const place = this.rows.indexOf(number);
    if (place < 0) return null;
    this.fill(Math.floor(place / BLOCK));
    return this.made[number];
  }

  /** Returns the first row in sight, and where it is. */
  anchor() {
    const head = this.head.getBoundingClientRect().bottom;
    for (const block of this.blocks) {
      if (block.getBoundingClientRect().bottom <= head) continue;
      for (const row of /** @type {any} */ (block.rows)) {
        const box = row.getBoundingClientRect();
        if (box.bottom > head) return { name: `row${row.dataset.row}`, top: box.top };
      }
    }
    return noAnchor();
  }
}

/**
 * The columns of coverage.py's index; those of branches if there are any.
 * @param {Table} table
 * @param {any} files
 * @returns {Column[]}
 */
function figureColumns(table, files) {
  const { has_branches: hasBranches, precision } = files;
  /** @type {(id: Count, key: string, className: string) => Column} */
  const count = (id, key, className) => ({
    id, key, className, label: id, falling: true,
    value: (row) => table[id][row],
    cell: (row, cell) => { cell.textContent = thousands(table[id][row]); },
  });
  /** @type {(id: string, label: string, key: string | undefined, covered: (row: number) => number, all: (row: number) => number, className: string, nothing?: string) => Column} */
  const share = (id, label, key, covered, all, className, nothing) => ({
    id, key, label, className: `cover ${className}`,
    value: (row) => ratio(covered(row), all(row)),
    cell: (row, cell) => coverCell(cell, covered(row), all(row), precision, nothing),
  });
  const columns = [];
  if (hasBranches) columns.push(share("statements_coverage", "stmt cover", undefined, (row) => executed(table, row), (row) => table.statements[row], "third", "no statements"));
  columns.push(count("statements", "s", "second"), count("missing", "m", "last"), count("excluded", "x", "third"));
  if (hasBranches) {
    columns.push(share("branches_coverage", "branch cover", undefined, (row) => taken(table, row), (row) => table.branches[row], "third", "no branches"));
    columns.push(count("branches", "b", "second"), count("partial", "p", "second"));
  }
  const [covered, all] = [(/** @type {number} */ row) => executed(table, row) + taken(table, row), (/** @type {number} */ row) => table.statements[row] + table.branches[row]];
  columns.push(share("coverage", "coverage", "c", covered, all, "", "no statements"));
  if (table.before) columns.push(/** @type {Column} */ (changeColumn((row) => table.before[row], covered, all)));
  return columns;
}

/**
 * Returns the column of how many percentage points the coverage rose or fell.
 * @param {(row: number) => [number, number] | null} before
 * @param {(row: number) => number} covered
 * @param {(row: number) => number} all
 * @returns {Column}
 */
function changeColumn(before, covered, all) {
  const points = (/** @type {number} */ row) => {
    const old = before(row);
    return old ? 100 * (ratio(covered(row), all(row)) - ratio(old[0], old[1])) : 0;
  };
  return {
    id: "change", label: "change", title: "How many percentage points the coverage rose or fell", className: "change", value: points,
    cell: (row, cell) => {
      const change = points(row);
      // A change that is too small for one decimal is still shown.
      const text = Math.abs(change) >= 0.05 ? Math.abs(change).toFixed(1) : "<0.1";
      cell.textContent = before(row) ? (change ? `${change > 0 ? "+" : "−"}${text}` : "") : "new";
      cell.classList.toggle("fell", change < 0);
      cell.classList.toggle("rose", change > 0);
    },
  };
}

/**
 * Returns a function that makes the cells of the totals. Those of all rows are the report's own, which count what was left out.
 * @param {Table} table
 * @param {any} files
 * @param {Column[]} columns
 */
function totals(table, files, columns) {
  return (/** @type {ArrayLike<number>} */ rows, /** @type {boolean} */ isPart) => {
    /** @type {any} */
    const sum = {};
    for (const name of counts) {
      sum[name] = [isPart ? 0 : table.totals[name][0]];
      if (isPart) for (let at = 0; at < rows.length; at++) sum[name][0] += table[name][rows[at]];
    }
    if (table.before) {
      sum.before = table.totals.before;
      if (isPart) {
        const known = Array.from(rows, (row) => table.before[row]).filter(Boolean);
        sum.before = [known.length ? known.reduce(([covered, all], [more, further]) => [covered + more, all + further]) : null];
      }
    }
    const figures = new Map(figureColumns(sum, files).map((column) => [column.id, column]));
    const title = isPart ? `Total of ${thousands(rows.length)}` : "Total";
    return columns.map((column, at) => {
      const cell = make("td", { className: column.className ?? "" });
      const figure = figures.get(column.id);
      if (figure) figure.cell(0, cell);
      // Where there is little room, only one of two names is left.
      else if (column.className?.includes("name")) cell.append(make("span", { className: at ? "narrow" : "" }, title));
      return cell;
    });
  };
}
