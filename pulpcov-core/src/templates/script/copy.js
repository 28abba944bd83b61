// What is copied from a source page is the source, not the numbers and labels beside it.

/** What stands in a line beside its source. */
const BESIDE = "ol > li > a, .ctx, .why, .who";

/**
 * Returns the text of a part of a page, in which invisible characters are again what they were.
 * @param {ParentNode & Node} part
 */
function codeOf(part) {
  let text = "";
  for (const node of part.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) text += node.textContent;
    if (!(node instanceof Element) || node.matches("a, .ctx, .why, .who")) continue;
    const code = node.getAttribute("data-c");
    text += code ? String.fromCodePoint(parseInt(code.slice(2), 16)) : codeOf(node);
  }
  return text;
}

/** How lines end whose `data-end` is such. Others end with a newline.
 * @type {Record<string, string>} */
const ENDS = { rn: "\r\n", r: "\r", "": "" };
const newlineOf = (/** @type {Element} */ line) => ENDS[line.getAttribute("data-end")] ?? "\n";

/**
 * Returns the source in a range of the page. Returns `null` if there is none in it.
 * @param {Element[]} lines
 * @param {Range} range
 */
function sourceIn(lines, range) {
  const starts = (/** @type {Element} */ line) => range.comparePoint(line, 0);
  // The lines are in order, so those in the range are found by halves.
  const firstWhere = (/** @type {(line: Element) => boolean} */ is) => {
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (is(lines[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const from = Math.max(0, firstWhere((line) => starts(line) >= 0 || line.contains(range.startContainer)));
  const after = firstWhere((line) => starts(line) > 0);
  if (from >= after) return null;
  const parts = lines.slice(from, after).map((line) => {
    const [hasStart, hasEnd] = [range.startContainer, range.endContainer].map((end) => line.contains(end));
    if (!hasStart && !hasEnd) return codeOf(line);
    const part = document.createRange();
    part.selectNodeContents(line);
    if (hasStart) part.setStart(range.startContainer, range.startOffset);
    if (hasEnd) part.setEnd(range.endContainer, range.endOffset);
    return codeOf(part.cloneContents());
  });
  let text = "";
  parts.forEach((part, at) => { text += part + (at + 1 < parts.length ? newlineOf(lines[from + at]) : ""); });
  // The end of the last line belongs to a selection that goes beyond it.
  const last = lines[after - 1];
  return last.contains(range.endContainer) ? text : text + newlineOf(last);
}

/**
 * @param {HTMLElement} main
 * @param {Lines} blocks
 */
function copySource(main, blocks) {
  document.oncopy = (/** @type {ClipboardEvent} */ event) => {
    const selection = getSelection();
    if (!main.isConnected || selection.isCollapsed || /** @type {Element} */ (event.target).closest?.("input, textarea")) return;
    const ranges = Array.from({ length: selection.rangeCount }, (_, at) => selection.getRangeAt(at));
    // What stands beside the source is copied as it is if nothing else is selected.
    const isBeside = (/** @type {Range} */ range) => {
      const common = range.commonAncestorContainer;
      return Boolean((common instanceof Element ? common : common.parentElement).closest(BESIDE));
    };
    blocks.fillAll();
    const lines = $$("ol > li", main);
    const texts = ranges.filter((range) => range.intersectsNode(main) && !isBeside(range)).map((range) => sourceIn(lines, range));
    if (!texts.some((text) => text !== null)) return;
    event.clipboardData.setData("text/plain", texts.filter((text) => text !== null).join("\n"));
    event.preventDefault();
  };
}
