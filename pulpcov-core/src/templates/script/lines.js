// The lines of a source page, in blocks. Of a long page, the blocks after the first are text, so that a reader need not wait for them.

/** The number of lines in each block but the last. */
const LINES_OF_BLOCK = 200;

class Lines {
  /** @param {HTMLElement} main */
  constructor(main) {
    this.main = main;
    /** The HTML of the blocks that have no elements yet.
     * @type {Map<Element, string>} */
    this.later = new Map();
    this.sight = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.fill(entry.target);
    }, { rootMargin: "50%" });
    $(".rest", main)?.remove();
    for (const text of $$("noscript", main)) {
      const block = make("ol", { className: "later" });
      const html = text.textContent;
      this.later.set(block, html.slice("<ol>".length, html.lastIndexOf("</ol>")));
      text.replaceWith(block);
      this.sight.observe(block);
    }
    /** @type {Element[]} */
    this.blocks = $$("ol", main);
    const last = this.blocks.at(-1);
    if (last) this.fill(last);
    this.count = last ? (this.blocks.length - 1) * LINES_OF_BLOCK + last.childElementCount : 0;
  }

  /**
   * Makes the elements of a block.
   * @param {Element} block
   */
  fill(block) {
    const html = this.later.get(block);
    if (html === undefined) return;
    this.later.delete(block);
    this.sight.unobserve(block);
    block.innerHTML = html;
    block.classList.remove("later");
  }

  /** Makes all elements at once, for what needs the whole page. */
  fillAll() {
    for (const block of [...this.later.keys()]) this.fill(block);
  }

  /** Returns the blocks one by one, with their elements. The browser draws and answers in between. */
  async* filled() {
    const pace = new Pace();
    for (const block of this.blocks) {
      await pace.step();
      if (!this.main.isConnected) return;
      this.fill(block);
      yield block;
    }
  }

  /**
   * Returns a line. A page can have a hundred thousand, so no list of them is made.
   * @param {number} at From 0.
   */
  at(at) {
    const block = this.blocks[Math.floor(at / LINES_OF_BLOCK)];
    if (block) this.fill(block);
    return /** @type {HTMLElement | undefined} */ (block?.children[at % LINES_OF_BLOCK]);
  }
}
