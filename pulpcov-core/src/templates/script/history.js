// The history: small curves of how much was covered in each run.

/** @typedef {{ time: string[], revision: string[], total: [number, number][], folders: Record<string, ([number, number] | null)[]>, files: Record<string, ([number, number] | null)[]> }} Runs */

/**
 * Draws a curve. Its scale is that of its own points, because most runs differ by little.
 * @param {([number, number] | null)[]} points How much was covered in each run, and how much there was.
 * @param {Runs} runs
 * @param {number} precision
 * @param {string} name What is drawn.
 * @param {[number, number]} [size]
 */
function curve(points, runs, precision, name, [width, height] = [72, 22]) {
  const known = points.flatMap((point, at) => (point ? [{ at, share: 100 * ratio(point[0], point[1]), text: `${percent(point[0], point[1], precision)}%` }] : []));
  const shares = known.map(({ share }) => share);
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const x = (/** @type {number} */ at) => 3 + ((width - 6) * at) / Math.max(1, points.length - 1);
  const y = (/** @type {number} */ share) => (high > low ? height - 4 - ((height - 8) * (share - low)) / (high - low) : height / 2);
  const words = known.length ? `${name}: ${known[0].text} to ${known.at(-1).text} in ${plural(known.length, "run")}` : `${name}: no runs`;
  const line = svg("polyline", { points: known.map(({ at, share }) => `${x(at).toFixed(1)},${y(share).toFixed(1)}`).join(" ") });
  const dots = known.map(({ at, share, text }) => {
    const dot = svg("circle", { cx: x(at).toFixed(1), cy: y(share).toFixed(1), r: "2" });
    dot.append(svg("title", {}));
    // The time as it is written, without the seconds. Anybody who can edit the file can write anything there.
    dot.firstChild.textContent = `${text}, ${visible(runs.time[at].slice(0, 16).replace("T", " "))}, ${visible(runs.revision[at])}`;
    return dot;
  });
  const drawing = svg("svg", { class: "curve", role: "img", "aria-label": words, width: String(width), height: String(height), viewBox: `0 0 ${width} ${height}` });
  drawing.append(line, ...dots);
  return drawing;
}

/**
 * Returns the column of curves.
 * @param {Runs} runs
 * @param {number} precision
 * @param {(row: number) => ([number, number] | null)[]} points
 * @param {(row: number) => string} name
 * @returns {Column}
 */
function historyColumn(runs, precision, points, name) {
  const rise = (/** @type {number} */ row) => {
    const known = (points(row) ?? []).filter(Boolean);
    return known.length ? ratio(...known.at(-1)) - ratio(...known[0]) : 0;
  };
  return {
    id: "history", label: "history", title: "How much was covered in each run; sorted by how much it rose", className: "history second", value: rise,
    cell: (row, cell) => {
      const known = points(row);
      if (known) cell.append(curve(known, runs, precision, name(row)));
    },
  };
}

/**
 * Draws the total at the top of a list, and says what its ends are.
 * @param {Runs} runs
 * @param {number} precision
 */
function drawTotal(runs, precision) {
  $(".overview .runs")?.remove();
  const drawing = curve(runs.total, runs, precision, "Total", [260, 40]);
  const [first, last] = [runs.total[0], runs.total.at(-1)].map(([covered, all]) => `${percent(covered, all, precision)}%`);
  $(".overview").prepend(make("div", { className: "runs soft" }, drawing, make("span", { ariaHidden: "true" }, `${first} to ${last} in ${plural(runs.total.length, "run")}`)));
}
