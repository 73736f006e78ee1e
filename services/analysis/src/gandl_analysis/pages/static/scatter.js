"use strict";
// Wells as points on a canvas. A lasso selects some; its corners stand in the address in the units of the axes.
(() => {
  const canvas = document.getElementById("scatter");
  if (!canvas) return;
  const data = JSON.parse(document.getElementById("data").textContent);
  const points = data.points.map(([plate, well, x, y, group, compound, dose, title]) => ({ plate, well, x, y, group, compound, dose, title }));
  const COLOURS = ["#c4501b", "#0072b2", "#7a808a", "#00805c", "#a3267c", "#b79f00", "#56b4e9", "#5d3a9b", "#999999"];
  const NAMED = { "negative control": "#c4501b", "positive control": "#0072b2", treatment: "#7a808a", empty: "#c9b458" };
  const colours = data.groups.map((name, k) => NAMED[name] ?? COLOURS[k % COLOURS.length]);
  for (const swatch of document.querySelectorAll("[data-group]")) swatch.style.background = colours[swatch.dataset.group];
  const MAX_TILES = 60, MAX_ROWS = 500, MAX_CORNERS = 60, PAD = { left: 58, right: 14, top: 12, bottom: 42 };
  let polygon = [], selected = new Set(), size = { w: 0, h: 0 };

  const extent = (values) => {
    const low = Math.min(...values), high = Math.max(...values), gap = (high - low || 1) * 0.05;
    return [low - gap, high + gap];
  };
  const range = points.length ? { x: extent(points.map((p) => p.x)), y: extent(points.map((p) => p.y)) } : { x: [0, 1], y: [0, 1] };
  const toX = (x) => PAD.left + ((x - range.x[0]) / (range.x[1] - range.x[0])) * (size.w - PAD.left - PAD.right);
  const toY = (y) => size.h - PAD.bottom - ((y - range.y[0]) / (range.y[1] - range.y[0])) * (size.h - PAD.top - PAD.bottom);
  const fromX = (px) => range.x[0] + ((px - PAD.left) / (size.w - PAD.left - PAD.right)) * (range.x[1] - range.x[0]);
  const fromY = (py) => range.y[0] + ((size.h - PAD.bottom - py) / (size.h - PAD.top - PAD.bottom)) * (range.y[1] - range.y[0]);

  const ticks = ([low, high], n) => {
    const raw = (high - low) / n, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((f) => f * power >= raw) * power, all = [];
    for (let k = Math.ceil(low / step); k * step <= high; k += 1) all.push(Number((k * step).toPrecision(6)));
    return all;
  };

  const draw = () => {
    const ratio = devicePixelRatio || 1;
    size = { w: canvas.clientWidth, h: canvas.clientHeight };
    canvas.width = size.w * ratio;
    canvas.height = size.h * ratio;
    const g = canvas.getContext("2d"), css = getComputedStyle(document.documentElement);
    const ink = css.getPropertyValue("--ink"), muted = css.getPropertyValue("--muted"), line = css.getPropertyValue("--line");
    g.scale(ratio, ratio);
    g.font = "12px sans-serif";
    g.textAlign = "center";
    for (const x of ticks(range.x, 6)) {
      g.strokeStyle = line; g.beginPath(); g.moveTo(toX(x), PAD.top); g.lineTo(toX(x), size.h - PAD.bottom); g.stroke();
      g.fillStyle = muted; g.fillText(String(x).replace("-", "−"), toX(x), size.h - PAD.bottom + 16);
    }
    g.textAlign = "right";
    for (const y of ticks(range.y, 5)) {
      g.strokeStyle = line; g.beginPath(); g.moveTo(PAD.left, toY(y)); g.lineTo(size.w - PAD.right, toY(y)); g.stroke();
      g.fillStyle = muted; g.fillText(String(y).replace("-", "−"), PAD.left - 6, toY(y) + 4);
    }
    g.fillStyle = ink; g.textAlign = "center";
    g.fillText(data.labels[0], (size.w + PAD.left) / 2, size.h - 6);
    g.save(); g.translate(14, (size.h - PAD.bottom) / 2); g.rotate(-Math.PI / 2); g.fillText(data.labels[1], 0, 0); g.restore();
    points.forEach((p, k) => {
      g.globalAlpha = selected.size && !selected.has(k) ? 0.25 : 0.85;
      g.fillStyle = colours[p.group] ?? COLOURS[2];
      g.beginPath(); g.arc(toX(p.x), toY(p.y), selected.has(k) ? 4.5 : 3, 0, 7); g.fill();
      if (selected.has(k)) { g.globalAlpha = 1; g.strokeStyle = ink; g.stroke(); }
    });
    g.globalAlpha = 1;
    if (polygon.length > 1) {
      g.strokeStyle = ink; g.setLineDash([5, 4]); g.beginPath();
      polygon.forEach(([x, y], k) => (k ? g.lineTo(toX(x), toY(y)) : g.moveTo(toX(x), toY(y))));
      g.closePath(); g.stroke(); g.setLineDash([]);
    }
  };

  // A point is inside where a ray from it crosses the outline an odd number of times.
  const isInside = (p) => polygon.reduce((inside, [x, y], k) => {
    const [px, py] = polygon[k ? k - 1 : polygon.length - 1];
    return (y > p.y) !== (py > p.y) && p.x < ((px - x) * (p.y - y)) / (py - y) + x ? !inside : inside;
  }, false);

  const element = (tag, text, attributes = {}) => {
    const item = Object.assign(document.createElement(tag), attributes);
    if (text !== null) item.textContent = text;
    return item;
  };
  const address = (p) => `${data.well}${encodeURIComponent(p.plate)}/${encodeURIComponent(p.well)}${data.query}`;

  const showTable = (list) => {
    document.getElementById("rows").replaceChildren(...list.slice(0, MAX_ROWS).map((p) => {
      const row = element("tr", null), cell = element("td", null);
      cell.append(element("a", p.well, { href: address(p) }));
      row.append(element("td", p.plate), cell, element("td", p.compound || data.groups[p.group] || ""));
      for (const n of [p.dose ?? "", p.x, p.y]) row.append(element("td", String(n).replace("-", "−"), { className: "num" }));
      return row;
    }));
  };
  const rowNumber = (letters) => [...letters].reduce((n, c) => n * 26 + c.charCodeAt(0) - 64, 0);
  const showPlates = (list) => {
    const plates = Map.groupBy ? Map.groupBy(points, (p) => p.plate) : points.reduce((m, p) => m.set(p.plate, [...(m.get(p.plate) ?? []), p]), new Map());
    const marked = new Set(list), space = "http://www.w3.org/2000/svg";
    const figures = [...plates].filter(([, wells]) => wells.some((p) => marked.has(p))).map(([plate, wells]) => {
      const cells = wells.map((p) => { const [, letters, column] = p.well.match(/^([A-Z]+)(\d+)$/); return [p, rowNumber(letters), Number(column)]; });
      const svg = document.createElementNS(space, "svg");
      const w = Math.max(...cells.map(([, , c]) => c)), h = Math.max(...cells.map(([, r]) => r));
      svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", `${wells.filter((p) => marked.has(p)).length} selected wells on plate ${plate}`);
      for (const [p, r, c] of cells) {
        const rect = document.createElementNS(space, "rect");
        for (const [name, value] of Object.entries({ x: c - 0.95, y: r - 0.95, width: 0.9, height: 0.9, class: marked.has(p) ? "on" : "" })) rect.setAttribute(name, value);
        svg.append(rect);
      }
      const figure = element("figure", null);
      figure.append(element("figcaption", plate), svg);
      return figure;
    });
    document.getElementById("marks").replaceChildren(...figures);
  };
  let wish = 0;
  const showGallery = async (list) => {
    const gallery = document.getElementById("gallery"), title = document.getElementById("gallery-title"), own = (wish += 1);
    if (!data.hasPictures) { title.textContent = "Images: a table of features has none"; return; }
    title.textContent = list.length > MAX_TILES ? `Images of the first ${MAX_TILES} of ${list.length} wells` : "Images";
    const part = list.slice(0, MAX_TILES), sites = new Map();
    for (const plate of new Set(part.map((p) => p.plate))) {
      const answer = await fetch(`${data.screen}/sprites/${encodeURIComponent(plate)}`, { headers: { Accept: "application/json" } });
      if (own !== wish) return;
      if (answer.ok) for (const cell of (await answer.json()).wells) sites.set(`${plate}\n${cell.well}`, cell.site);
    }
    const tiles = part.filter((p) => sites.has(`${p.plate}\n${p.well}`)).map((p) => {
      const link = element("a", null, { href: address(p), title: p.title });
      const site = sites.get(`${p.plate}\n${p.well}`);
      const path = [p.plate, p.well, site].map(encodeURIComponent).join("/");
      link.append(element("img", null, { src: `${data.screen}/thumbnails/${path}?part=tile&format=jpeg`, alt: p.title, loading: "lazy", width: 96, height: 96 }));
      return link;
    });
    gallery.replaceChildren(...tiles);
    if (!tiles.length) title.textContent = "Images: no thumbnails are stored for these wells";
  };

  const select = (corners, keep) => {
    polygon = corners;
    selected = new Set();
    if (polygon.length > 2) points.forEach((p, k) => { if (isInside(p)) selected.add(k); });
    const list = [...selected].map((k) => points[k]);
    document.getElementById("selected").textContent = polygon.length > 2 ? `${list.length} of ${points.length} wells are selected${list.length > MAX_ROWS ? `; the table has the first ${MAX_ROWS}` : ""}` : "";
    document.getElementById("selection").hidden = !list.length;
    draw();
    showTable(list);
    showPlates(list);
    if (list.length) showGallery(list);
    if (keep) {
      const url = new URL(location.href);
      const text = polygon.map((c) => c.join(",")).join(";");
      if (text) url.searchParams.set("lasso", text); else url.searchParams.delete("lasso");
      history.pushState(null, "", url);
    }
  };
  const fromAddress = () => {
    const text = new URLSearchParams(location.search).get("lasso") ?? "";
    const corners = text.split(";").map((pair) => pair.split(",").map(Number));
    select(corners.filter((c) => c.length === 2 && c.every(Number.isFinite)), false);
  };

  let isDrawing = false;
  const corner = (event) => { const box = canvas.getBoundingClientRect(); return [fromX(event.clientX - box.left), fromY(event.clientY - box.top)]; };
  canvas.addEventListener("pointerdown", (event) => { isDrawing = true; canvas.setPointerCapture(event.pointerId); polygon = [corner(event)]; selected = new Set(); });
  canvas.addEventListener("pointermove", (event) => { if (isDrawing) { polygon.push(corner(event)); requestAnimationFrame(draw); } });
  canvas.addEventListener("pointerup", () => {
    if (!isDrawing) return;
    isDrawing = false;
    const every = Math.max(1, Math.ceil(polygon.length / MAX_CORNERS));
    // What is selected must be what the address repeats, so that the corners are rounded first.
    select(polygon.filter((_, k) => k % every === 0).map((c) => c.map((n) => Number(n.toPrecision(4)))), true);
  });
  const box = document.getElementById("box");
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = (name, other) => { const text = box.elements[name].value.replace("−", "-").replace(",", ".").trim(); return text === "" || !Number.isFinite(Number(text)) ? other : Number(text); };
    const [x0, x1, y0, y1] = [value("x0", range.x[0]), value("x1", range.x[1]), value("y0", range.y[0]), value("y1", range.y[1])];
    select([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], true);
  });
  document.getElementById("clear").addEventListener("click", () => select([], true));
  addEventListener("popstate", fromAddress);
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  fromAddress();
})();
