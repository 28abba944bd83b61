// The tests that a reader chose: their lines are marked on every source page, and their files in the lists.

/**
 * Returns the node id of a test, if pytest gave the name. `TestName` of the crate says how names are read: a static context of
 * coverage.py may stand before the file.
 * @param {string} name
 */
function nodeOf(name) {
  const python = name.indexOf(".py::");
  const end = python >= 0 ? python : name.indexOf("::");
  return end < 0 ? "" : name.slice(name.lastIndexOf("|", end) + 1);
}

/**
 * Returns the node ids of tests, each once.
 * @param {string[]} names
 */
const nodesOf = (names) => [...new Set(names.map(nodeOf).filter(Boolean))];

/**
 * Returns the command that runs tests, as a shell takes it. As in `write_pytest` of the crate, no id is taken for an option or for
 * a file with more arguments: an id of a data file may be anything.
 * @param {string[]} nodes
 */
function pytestCommand(nodes) {
  const argument = (/** @type {string} */ id) => (/^[-@]/.test(id) ? `./${id}` : id);
  const quoted = (/** @type {string} */ id) => (/^[\w@%+=:,./-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`);
  return `pytest ${nodes.map((id) => quoted(argument(id))).join(" ")}`;
}

/** The tests that the reader chose. */
const chosenTests = {
  /** @returns {string[]} */
  all() {
    const kept = memory.get("tests", []);
    return Array.isArray(kept) ? kept.filter((name) => typeof name === "string") : [];
  },
  /** @param {string} test */
  toggle(test) {
    const all = chosenTests.all();
    memory.set("tests", all.includes(test) ? all.filter((one) => one !== test) : [...all, test]);
  },
  clear() {
    memory.set("tests", []);
  },
};

/**
 * Returns the numbers of the contexts that belong to the chosen tests: setup, run and teardown of each.
 * @param {string[]} names
 */
function chosenContexts(names) {
  const chosen = new Set(chosenTests.all());
  const found = new Set();
  if (chosen.size) names.forEach((name, context) => { if (chosen.has(name)) found.add(context); });
  return found;
}

/**
 * Returns which files the chosen tests ran. Returns `null` if none is chosen.
 * @returns {Promise<Set<number> | null>}
 */
async function filesOfChosen() {
  if (!hasContexts() || !chosenTests.all().length) return null;
  const [names, runs] = await Promise.all([load("contexts"), load("runs")]);
  const files = new Set();
  for (const context of chosenContexts(names)) {
    const triples = numbers(runs[context]);
    let file = 0;
    for (let at = 0; at < triples.length; at += 3) {
      file += triples[at];
      files.add(file);
    }
  }
  return files;
}

/**
 * Marks the lines of a source page that the chosen tests ran, and says so above them.
 * @param {HTMLElement} main
 * @param {HTMLElement} header
 * @param {string} page
 * @param {Lines} lines
 */
async function markChosen(main, header, page, lines) {
  $(".by", header.parentElement)?.remove();
  $$("li.by", main).forEach((item) => item.classList.remove("by"));
  const tests = hasContexts() ? chosenTests.all() : [];
  if (!tests.length) return;
  const [names, data] = await Promise.all([load("contexts"), contextsOf(page)]);
  for await (const _ of lines.filled());
  if (!main.isConnected) return;
  const contexts = chosenContexts(names);
  const classes = new Set();
  for (const [context, ran] of data.byContext) if (contexts.has(context)) ran.forEach((/** @type {number} */ name) => classes.add(name));
  let count = 0;
  for (const [line, name] of data.classOf) {
    if (!classes.has(name)) continue;
    lines.at(line - 1)?.classList.add("by");
    count++;
  }
  const again = async () => {
    await markChosen(main, header, page, lines);
    ($(".by button", header.parentElement) ?? main).focus({ preventScroll: true });
  };
  const button = (/** @type {string} */ test) => make("button", { type: "button", "aria-label": `Take ${test} away`, onclick: () => {
    chosenTests.toggle(test);
    again();
  } }, make("bdi", {}, test), " ✕");
  const clear = make("button", { type: "button", onclick: () => { chosenTests.clear(); again(); } }, "Take all away");
  header.after(make("p", { className: "by", role: "status" }, `${plural(count, "line")} run by `, ...tests.slice(0, 8).map(button),
    tests.length > 8 ? ` and ${plural(tests.length - 8, "more test")} ` : "", tests.length > 1 && clear));
}

/**
 * Returns the names of the contexts that ran some lines of a page.
 * @param {string} page
 * @param {number} from
 * @param {number} to
 */
async function contextsOfLines(page, from, to) {
  const [names, data] = await Promise.all([load("contexts"), contextsOf(page)]);
  const classes = new Set();
  for (let line = from; line <= to; line++) classes.add(data.classOf.get(line));
  return [...data.byContext].filter(([, ran]) => ran.some((/** @type {number} */ name) => classes.has(name))).map(([context]) => names[context]);
}
