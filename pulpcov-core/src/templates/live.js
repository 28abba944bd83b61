// Loads a page again when the report has changed, and says what its data is of. Scripts can be loaded from file:// too.
"use strict";
(() => {
  const SECONDS = 2;
  let shown = null;
  let note = null;

  const isBusy = () => {
    const at = document.activeElement;
    return (at && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) || String(document.getSelection()) !== "" ||
      document.querySelector("dialog[open]") !== null;
  };

  const say = (words) => {
    if (!note) {
      note = document.createElement("p");
      note.className = "live-note";
      note.setAttribute("role", "status");
      document.body.append(note);
    }
    note.textContent = words;
  };

  // Called by live.data.js, which is written after everything else.
  window.pulpcovLive = (stamp, when) => {
    if (shown !== null && stamp !== shown && !isBusy()) {
      location.reload();
      return;
    }
    say(shown === null || stamp === shown ? `Live: data of ${when}` : `Newer data, of ${when}, is shown when you have finished`);
    shown ??= stamp;
  };

  const look = () => {
    const script = document.createElement("script");
    script.src = `live.data.js?${Date.now()}`;
    script.onload = script.onerror = () => script.remove();
    document.head.append(script);
  };

  addEventListener("DOMContentLoaded", () => {
    look();
    setInterval(look, SECONDS * 1000);
  });
})();
