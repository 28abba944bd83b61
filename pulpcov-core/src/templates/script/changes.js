// The page of changes: the way through what is not covered of them.

/** @param {HTMLElement} main */
function changesView(main) {
  const hunks = $$(".hunk", main);
  if (!hunks.length) return;
  const step = (/** @type {1 | -1} */ by) => {
    const at = hunks.indexOf(/** @type {HTMLElement} */ (document.activeElement?.closest(".hunk")));
    const to = hunks[at < 0 && by < 0 ? hunks.length - 1 : at + by];
    if (!to) { say("No more"); return; }
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  };
  keys.j = () => step(1);
  keys.k = () => step(-1);
}
