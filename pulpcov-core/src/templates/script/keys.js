// Keys, the help about them, and themes.

/** The keys of the view, and what they do. Other keys are those of elements with `data-key`. */
/** @type {Record<string, () => void>} */
let keys = {};
/** What the view does when the address changes. */
/** @type {(() => void) | null} */
let onPlace = null;
/** Goes to the place that the address has, though it has had it before. */
/** @type {(() => void) | null} */
let goThere = null;
/** What the listeners of a page end with. */
let pageEnd = new AbortController();
/** Goes to a line, if the view has lines. */
/** @type {((line: number) => void) | null} */
let goToLine = null;

function help() {
  const open = $("dialog[open]");
  if (open) { open.close(); return; }
  const list = make("dl", { className: "keys" });
  const row = (/** @type {string} */ keys, /** @type {string} */ text) => {
    const term = make("dt");
    keys.split(" ").forEach((key) => term.append(make("kbd", {}, key), " "));
    list.append(term, make("dd", {}, text));
  };
  const { view } = document.body.dataset;
  if (view === "source") {
    row($(".toggles [data-key=p]") ? "r m x p" : "r m x", "toggle line displays");
    if ($("[data-only]")) row("c", "show only changed lines");
    row("j k", "next, previous highlighted chunk");
    if ($(".toggles [data-was]")) row("l w", "next line that was lost, won");
    row("0", "top of page");
    row("1", "first highlighted chunk");
    row("y", "copy the chosen lines as path:line");
    if (hasContexts()) row("t", "copy the pytest command of the tests that ran the chosen lines");
    row("u", "up to the index");
  } else if (view === "patch") {
    row("j k", "next, previous hunk");
  } else {
    const sorts = $$("th [data-key]").map((button) => button.dataset.key).join(" ");
    if (sorts) row(sorts, "change column sorting");
  }
  if (view === "tree") row("↑ ↓ ← →", "in the tree: walk, close and open folders");
  row("[ ]", "previous, next file");
  row("/", "search files, functions, classes, contexts and source; :12 goes to line 12");
  row("Esc", "close what is open");
  row("?", "show, hide this help");
  const hint = view === "source" && make("p", {}, "Click a line's number to choose it, with Shift to choose a range; its address can be shared. Copying takes the source alone.");
  const dialog = make("dialog", { "aria-label": "Keyboard shortcuts" }, make("h2", {}, "Shortcuts on this page"), list, hint, make("button", { type: "button", onclick: () => dialog.close() }, "Close"));
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

const themes = ["auto", "light", "dark"];
function applyTheme() {
  const kept = memory.get("theme", "auto");
  const theme = themes.includes(kept) ? kept : "auto";
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

/** Closes the panel that was opened last. Returns whether there is one. */
function closePanel() {
  const panels = $$("[data-close]").filter((button) => button.checkVisibility());
  panels.sort((a, b) => a.dataset.close - b.dataset.close).at(-1)?.click();
  const why = $(".outline[open]") ?? $(".why[open]");
  if (!panels.length && why) {
    why.open = false;
    $("summary", why).focus();
  }
  return panels.length > 0 || Boolean(why);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = /** @type {HTMLElement} */ (event.target);
  const field = target.closest?.("input, textarea, select");
  if (event.key === "Escape" && !$("dialog[open]")) {
    if (closePanel()) event.preventDefault();
    else target.blur?.();
    return;
  }
  if (field && /** @type {HTMLInputElement} */ (field).type !== "checkbox") return;
  if ($("dialog[open]") && event.key !== "?") return;
  if (event.key in keys) { event.preventDefault(); keys[event.key](); return; }
  const element = $$("[data-key]").find((element) => element.dataset.key === event.key && !element.closest("dialog, [hidden]"));
  if (element) { event.preventDefault(); element.click(); return; }
  if (event.key === "[") $("#prev")?.click();
  if (event.key === "]") $("#next")?.click();
});
