// The map of the folders: the area of a rectangle is what there is to cover, the colour how much is.

/**
 * Returns rectangles that are as near to squares as possible (Bruls, Huizing, van Wijk: Squarified Treemaps).
 * @param {Folder[]} items
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
function squarify(items, x, y, width, height) {
  const placed = [];
  let left = items.filter((item) => item.all > 0).sort((a, b) => b.all - a.all);
  let remaining = left.reduce((sum, item) => sum + item.all, 0);
  while (left.length) {
    const side = Math.min(width, height);
    const scale = (width * height) / remaining;
    let row = 0;
    let count = 0;
    let worst = Infinity;
    for (let n = 1; n <= left.length; n++) {
      const sum = (row + left[n - 1].all) * scale;
      const ratioOf = (/** @type {number} */ area) => Math.max((side * side * area) / (sum * sum), (sum * sum) / (side * side * area));
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
    remaining -= row;
    left = left.slice(count);
  }
  return placed;
}

/** @type {[number, string][]} */
const levels = [[0, "below 50 %"], [50, "50 to 75 %"], [75, "75 to 90 %"], [90, "90 % and more"]];
const level = (/** @type {Folder} */ node) => {
  const value = 100 * ratio(node.covered, node.all);
  return levels.findLastIndex(([from]) => value >= from);
};
/** The less is covered, the denser the lines: the map is read without colour too. */
const patterns = () => svg("defs", {}, ...[5, 9, 15].map((gap, at) =>
  svg("pattern", { id: `hatch${at}`, width: gap, height: gap, patternUnits: "userSpaceOnUse" }, svg("path", { d: `M0 ${gap}L${gap} 0` }))));

/** How wide a character of a label is, in pixels. */
const LETTER = 7.2;

/**
 * Draws a folder.
 * @param {HTMLElement} section
 * @param {Folder} folder
 * @param {Folder} top
 * @param {any} files
 * @param {(path: string) => void} go
 */
function treemap(section, folder, top, files, go) {
  const crumbs = make("nav", { className: "crumbs", "aria-label": "Folder of the map" });
  const trail = [];
  for (let at = top; at; at = at === folder ? null : [...at.folders.values()].find((inner) => folder.path.startsWith(inner.path))) trail.push(at);
  trail.forEach((at, index) => {
    if (index) crumbs.append(" / ");
    const name = at === top ? at.name || "all folders" : at.name;
    crumbs.append(at === folder ? make("b", { "aria-current": "true" }, name) : make("button", { type: "button", onclick: () => go(at.path) }, name));
  });
  const items = [...folder.folders.values(), ...folder.files];
  if (!folder.all) {
    section.replaceChildren(crumbs, make("p", { className: "note" }, "No file here has statements, so there is nothing to draw."));
    return;
  }
  const width = Math.max(280, section.clientWidth || innerWidth - 32);
  const height = Math.min(0.46 * innerHeight, 416);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" }, patterns());
  let small = 0;

  /** Draws a folder or a file, with a link and its name if there is room. */
  const draw = (/** @type {Folder} */ item, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ w, /** @type {number} */ h, /** @type {boolean} */ isInner) => {
    const isFolder = Boolean(item.folders);
    const label = `${item.name}${isFolder ? "/" : ""}`;
    const share = `${percent(item.covered, item.all, files.precision)}%`;
    const text = `${label}: ${share}, ${plural(item.statements, "statement")}`;
    const link = svg("a", { href: isFolder ? `tree.html#folder=${encodeURIComponent(item.path)}` : address(files.page[item.row]), "aria-label": text });
    if (isFolder) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        event.stopPropagation();
        go(item.path);
      });
    }
    const title = svg("title");
    title.textContent = text;
    link.append(title);
    const box = { x, y, width: w, height: h };
    const isOpen = isFolder && !isInner && w > 60 && h > 60;
    if (isOpen) {
      link.append(svg("rect", { ...box, class: "frame" }));
    } else {
      link.append(svg("rect", { ...box, class: `c${level(item)}` }));
      if (level(item) < 3) link.append(svg("rect", { ...box, class: "hatch", fill: `url(#hatch${level(item)})` }));
    }
    picture.append(link);
    // The link's label says all, so a name that is cut off is not part of the link.
    const room = Math.floor((w - 8) / LETTER);
    if (h > 18 && room > 4) {
      const caption = svg("text", { x: x + 4, y: y + 14, "aria-hidden": "true" });
      const whole = `${label} ${share}`;
      caption.textContent = whole.length <= room ? whole : label.length <= room ? label : `${label.slice(0, Math.max(0, room - 1))}…`;
      picture.append(caption);
      if (whole.length > room && h > 34 && !isOpen && share.length <= room) {
        const second = svg("text", { x: x + 4, y: y + 29, "aria-hidden": "true" });
        second.textContent = share;
        picture.append(second);
      }
    }
    if (!isOpen) return;
    for (const inner of squarify([...item.folders.values(), ...item.files], x + 2, y + 20, w - 4, h - 22)) {
      if (inner.w > 2 && inner.h > 2) draw(inner.item, inner.x, inner.y, inner.w, inner.h, true);
      else small++;
    }
  };
  for (const { item, x, y, w, h } of squarify(items, 0, 0, width, height)) {
    if (w < 3 || h < 3) small++;
    else draw(item, x, y, w, h, false);
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
