"use strict";
// While a screen is running, the rows of the list are read again; a page that loads itself anew would move the focus.
(() => {
  const read = async () => {
    const rows = document.getElementById("running");
    if (!rows) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = answer.ok && page.querySelector("tbody");
      if (!next) return location.reload();
      rows.id = next.id;
      // A link that has the focus stays where it is.
      if (!rows.contains(document.activeElement)) rows.replaceChildren(...next.childNodes);
    } catch { /* The server does not answer; it is asked again. */ }
    setTimeout(read, 5000);
  };
  setTimeout(read, 5000);
})();
