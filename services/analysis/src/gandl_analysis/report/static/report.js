"use strict";
(() => {
  const table = document.querySelector("table[data-sortable]");
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("thead th[data-key]")];
  const search = document.getElementById("filter-text");
  const verdict = document.getElementById("filter-verdict");
  const line = document.getElementById("filter-line");
  const by = document.getElementById("sort-by");
  const count = document.getElementById("filter-count");

  const value = (row, column) => {
    const raw = row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const number = Number(raw);
    return raw === "" ? null : Number.isNaN(number) ? raw.toLowerCase() : number;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

  const sort = (head, direction) => {
    const column = head.cellIndex;
    const rows = [...body.rows].map((row) => [value(row, column), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return direction * compare(a, b);
    });
    body.append(...rows.map(([, row]) => row));
    for (const other of heads) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    if (by) by.value = head.dataset.key;
  };

  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      sort(head, head.getAttribute("aria-sort") === "ascending" ? -1 : 1);
    });
  }
  by?.addEventListener("change", () => sort(heads.find((head) => head.dataset.key === by.value), 1));

  const filter = () => {
    const text = search.value.trim().toLowerCase();
    let n = 0;
    const matches = (element) =>
      (!text || element.dataset.compound.toLowerCase().includes(text)) &&
      (!verdict.value || element.dataset.verdict === verdict.value) &&
      (!line.value || element.dataset.line === line.value);
    for (const row of body.rows) {
      row.hidden = !matches(row);
      n += row.hidden ? 0 : 1;
    }
    for (const card of document.querySelectorAll(".curve[data-compound]")) card.hidden = !matches(card);
    count.textContent = n === body.rows.length ? "" : `${n} of ${body.rows.length} shown`;
  };
  for (const control of [search, verdict, line]) control?.addEventListener("input", filter);

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
