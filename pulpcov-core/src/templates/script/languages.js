// The languages of a report that has several. Lists and folders show one of them.

/** The language of the data. */
const PYTHON = "Python";

/** Returns the language that the address says. */
const chosenLanguage = () => settings.read().get("language") ?? PYTHON;

/**
 * Returns the files of the language that the address says, as if there were no others. The page says which one it is.
 * @param {any} files
 */
function filesOfLanguage(files) {
  if (!files.others) return files;
  const chosen = files.others.find((/** @type {any} */ one) => one.language === chosenLanguage());
  // A report may have no Python.
  const other = chosen ?? (files.others[0].from ? undefined : files.others[0]);
  const [from, to] = other ? [other.from, other.to] : [0, files.others[0].from];
  for (const link of $$(".languages a")) {
    if (link.dataset.language === (other?.language ?? PYTHON)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const some = { ...files };
  for (const name of ["name", "page", "changed", "before", ...counts]) some[name] = files[name]?.slice(from, to);
  some.judged = Object.fromEntries(Object.entries(files.judged ?? {}).flatMap(([row, judged]) => (Number(row) >= from && Number(row) < to ? [[Number(row) - from, judged]] : [])));
  // The data of before, and of earlier runs, is Python's.
  return other ? { ...some, totals: other.totals, has_branches: other.totals.branches[0] > 0, before: undefined, gone: [], history: false, notes: [] } : some;
}

/** Shows the view again when the address says another language. The ways to other views lead to the same language. */
function followLanguage() {
  const language = chosenLanguage();
  for (const view of ["index", "tree"]) {
    const link = $(`nav a[href*="${view}.html"]:not([data-language])`);
    link?.setAttribute("href", `${view}.html${language === PYTHON ? "" : `#language=${encodeURIComponent(language)}`}`);
  }
  const follow = onPlace;
  onPlace = () => (chosenLanguage() === language ? follow?.() : start());
}
