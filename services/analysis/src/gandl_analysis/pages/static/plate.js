"use strict";
// Arrow keys move between the wells of a plate, of which one at a time is a stop of the Tab key.
(() => {
  const plate = document.getElementById("plate");
  const line = document.getElementById("well-line");
  if (!plate) return;
  const rows = [...plate.querySelectorAll("[role=row]")].map((row) => [...row.querySelectorAll("a.well")]);
  const grid = rows.filter((row) => row.length);
  const wells = grid.flat();
  if (!wells.length) return;
  const columnOf = (well) => [...well.parentElement.parentElement.children].indexOf(well.parentElement);

  const show = (well) => { line.textContent = well.title; };
  const enter = (well) => {
    for (const other of wells) other.tabIndex = other === well ? 0 : -1;
    well.focus();
  };
  for (const well of wells) well.tabIndex = -1;
  wells[0].tabIndex = 0;

  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  plate.addEventListener("keydown", (event) => {
    const well = event.target.closest("a.well");
    if (!well || event.ctrlKey || event.metaKey || event.altKey) return;
    const r = grid.findIndex((row) => row.includes(well));
    let next = null;
    if (event.key in moves) {
      const [down, right] = moves[event.key];
      const row = grid[r + down];
      const column = columnOf(well) + right;
      next = row?.find((other) => columnOf(other) === column) ?? null;
    } else if (event.key === "Home") next = grid[r][0];
    else if (event.key === "End") next = grid[r].at(-1);
    else return;
    event.preventDefault();
    if (next) enter(next);
  });
  plate.addEventListener("focusin", (event) => { const well = event.target.closest("a.well"); if (well) show(well); });
  plate.addEventListener("pointerover", (event) => { const well = event.target.closest("a.well"); if (well) show(well); });
})();
