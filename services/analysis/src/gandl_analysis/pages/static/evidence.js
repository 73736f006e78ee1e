"use strict";
(() => {
  // A point says what it is under its curve. A finger needs one touch to read it and a second one to follow it.
  for (const figure of document.querySelectorAll("[data-points]")) {
    const note = figure.querySelector(".point-note");
    const links = [...figure.querySelectorAll("a.point")];
    let touched = null;
    const show = (link) => {
      for (const other of links) other.classList.toggle("current", other === link);
      note.textContent = link.getAttribute("aria-label");
    };
    for (const link of links) {
      link.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(link));
      link.addEventListener("focus", () => show(link));
      link.addEventListener("click", (event) => {
        if (event.pointerType !== "touch" || touched === link) return;
        event.preventDefault();
        touched = link;
        show(link);
        note.append(" · ");
        const open = document.createElement("a");
        open.href = link.getAttribute("href");
        open.textContent = "Show the well";
        note.append(open);
      });
    }
  }

  // What takes long to read comes after the page; without it, the link is still there.
  for (const target of document.querySelectorAll("[data-include]")) {
    fetch(target.dataset.include, { headers: { Accept: "text/html" } })
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(String(answer.status)))))
      .then((text) => {
        const content = new DOMParser().parseFromString(text, "text/html").getElementById("included");
        if (content) target.replaceChildren(...content.childNodes);
      })
      .catch(() => {});
  }

  // The form of a picture works without a script; with it, every change is shown at once and kept in the address.
  const form = document.querySelector("form[data-viewer]");
  if (!form) return;
  const image = document.querySelector(".viewer img");
  const failure = document.querySelector("[data-failure]");
  let timer = null;
  const reload = () => {
    const query = new URLSearchParams(new FormData(form)).toString();
    const address = `${location.pathname}?${query}`;
    fetch(address, { headers: { Accept: "text/html" } })
      .then((answer) => answer.text())
      .then((text) => {
        const page = new DOMParser().parseFromString(text, "text/html");
        const viewer = page.querySelector(".viewer");
        const old = document.querySelector(".viewer");
        if (!viewer || !old) {
          location.assign(address);
          return;
        }
        old.replaceWith(viewer);
        watch();
        history.replaceState(null, "", address);
      })
      .catch(() => location.assign(address));
  };
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => (event.target.name === "site" ? form.requestSubmit() : form.checkValidity() && reload()), 150);
  });
  // A picture that cannot be loaded tells its reason as JSON.
  const explain = (source) =>
    fetch(source, { headers: { Accept: "application/json" } })
      .then((answer) => answer.json())
      .then((body) => {
        failure.textContent = body.detail;
        failure.hidden = false;
      })
      .catch(() => {});
  const watch = () => {
    const current = document.querySelector(".viewer img");
    current?.addEventListener("error", () => explain(current.src), { once: true });
    if (current?.complete && !current.naturalWidth) explain(current.src);
  };
  if (image) watch();
})();
