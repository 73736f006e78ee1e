"use strict";
// Wells or tiles as points on a canvas. A lasso selects some; its corners stand in the address in the units of the axes.
(() => {
  const canvas = document.getElementById("scatter");
  if (!canvas) return;
  const data = JSON.parse(document.getElementById("data").textContent);
  const noun = data.tiles ? "tile" : "well";
  const ofWell = ([plate, well, x, y, group, compound, dose, title]) => ({ plate, well, x, y, group, compound, dose, title });
  const ofTile = ([number, site, tile, top, left, x, y]) => {
    const [plate, well, group, compound, dose, title] = data.wells[number];
    return { plate, well, x, y, group, compound, dose, title: `${title}, site ${data.sites[site]}, tile ${tile}`, site: data.sites[site], tile, top, left };
  };
  const points = data.tiles ? data.tiles.map(ofTile) : data.points.map(ofWell);
  const COLOURS = ["#c4501b", "#0072b2", "#7a808a", "#00805c", "#a3267c", "#b79f00", "#56b4e9", "#5d3a9b", "#999999"];
  const NAMED = { "negative control": "#c4501b", "positive control": "#0072b2", treatment: "#7a808a", empty: "#c9b458" };
  const colours = data.groups.map((name, k) => NAMED[name] ?? COLOURS[k % COLOURS.length]);
  for (const swatch of document.querySelectorAll("[data-group]")) swatch.style.background = colours[swatch.dataset.group];
  const MAX_TILES = 60, MAX_ROUND = 3000, MAX_ROWS = 500, MAX_CORNERS = 60, PAD = { left: 58, right: 14, top: 12, bottom: 42 };
  let polygon = [], selected = new Set(), turn = 0, size = { w: 0, h: 0 };

  const extent = (values) => {
    // A call has room for some ten thousand arguments only, so that the spread of an array would not do.
    const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b)), gap = (high - low || 1) * 0.05;
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

  // The points are drawn once for each selection; a lasso that grows is drawn over their picture.
  const picture = document.createElement("canvas");
  const drawPoints = () => {
    const ratio = devicePixelRatio || 1;
    size = { w: canvas.clientWidth, h: canvas.clientHeight };
    picture.width = size.w * ratio;
    picture.height = size.h * ratio;
    const g = picture.getContext("2d"), css = getComputedStyle(document.documentElement);
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
    const mark = (p, radius) => {
      g.fillStyle = colours[p.group] ?? COLOURS[2];
      if (points.length > MAX_ROUND) { g.fillRect(toX(p.x) - radius, toY(p.y) - radius, 2 * radius, 2 * radius); return; }
      g.beginPath(); g.arc(toX(p.x), toY(p.y), radius, 0, 7); g.fill();
    };
    const small = points.length > MAX_ROUND ? 1.5 : 3;
    g.globalAlpha = selected.size ? 0.25 : points.length > MAX_ROUND ? 0.6 : 0.85;
    points.forEach((p, k) => { if (!selected.has(k)) mark(p, small); });
    g.globalAlpha = 1;
    g.strokeStyle = ink;
    for (const k of selected) { mark(points[k], small + 1); if (points.length <= MAX_ROUND) g.stroke(); }
  };
  const drawLasso = () => {
    const ratio = devicePixelRatio || 1, ink = getComputedStyle(document.documentElement).getPropertyValue("--ink");
    canvas.width = picture.width;
    canvas.height = picture.height;
    const g = canvas.getContext("2d");
    if (picture.width && picture.height) g.drawImage(picture, 0, 0);
    g.scale(ratio, ratio);
    if (polygon.length > 1) {
      g.strokeStyle = ink; g.setLineDash([5, 4]); g.beginPath();
      polygon.forEach(([x, y], k) => (k ? g.lineTo(toX(x), toY(y)) : g.moveTo(toX(x), toY(y))));
      g.closePath(); g.stroke(); g.setLineDash([]);
    }
  };

  const draw = () => { drawPoints(); drawLasso(); };

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
  const address = (p) => {
    const site = p.site === undefined ? "" : `${data.query ? "&" : "?"}site=${encodeURIComponent(p.site)}&tiles=true`;
    return `${data.well}${encodeURIComponent(p.plate)}/${encodeURIComponent(p.well)}${data.query}${site}`;
  };

  const showTable = (list) => {
    document.getElementById("rows").replaceChildren(...list.slice(0, MAX_ROWS).map((p) => {
      const row = element("tr", null), cell = element("td", null);
      cell.append(element("a", p.well, { href: address(p) }));
      row.append(element("td", p.plate), cell);
      if (data.tiles) row.append(element("td", p.site), element("td", String(p.tile), { className: "num" }));
      row.append(element("td", p.compound || data.groups[p.group] || ""));
      for (const n of [p.dose ?? "", p.x, p.y]) row.append(element("td", String(n).replace("-", "−"), { className: "num" }));
      return row;
    }));
  };
  const rowNumber = (letters) => [...letters].reduce((n, c) => n * 26 + c.charCodeAt(0) - 64, 0);
  // Several tiles are one well of a plate.
  const plates = new Map();
  for (const p of points) {
    if (!plates.has(p.plate)) plates.set(p.plate, new Map());
    plates.get(p.plate).set(p.well, p);
  }
  const showPlates = (list) => {
    const chosen = new Set(list.map((p) => plates.get(p.plate).get(p.well))), space = "http://www.w3.org/2000/svg";
    const figures = [...plates].map(([plate, wells]) => [plate, [...wells.values()]]).filter(([, wells]) => wells.some((p) => chosen.has(p))).map(([plate, wells]) => {
      const cells = wells.map((p) => { const [, letters, column] = p.well.match(/^([A-Z]+)(\d+)$/); return [p, rowNumber(letters), Number(column)]; });
      const svg = document.createElementNS(space, "svg");
      const w = Math.max(...cells.map(([, , c]) => c)), h = Math.max(...cells.map(([, r]) => r));
      svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", `${wells.filter((p) => chosen.has(p)).length} wells with a selected point on plate ${plate}`);
      // One path for all wells that are chosen and one for the others: a plate of 1,536 wells is drawn at once.
      for (const isOn of [false, true]) {
        const path = document.createElementNS(space, "path");
        path.setAttribute("class", isOn ? "on" : "");
        path.setAttribute("d", cells.filter(([p]) => chosen.has(p) === isOn).map(([, r, c]) => `M${c - 0.95} ${r - 0.95}h.9v.9h-.9z`).join(""));
        svg.append(path);
      }
      const figure = element("figure", null);
      figure.append(element("figcaption", plate), svg);
      return figure;
    });
    document.getElementById("marks").replaceChildren(...figures);
  };
  // A tile is cut from its image; where the images have moved, from the thumbnail of its site.
  const tileOf = (p) => {
    const { edge, level, reason, height, width } = data.pictures;
    const path = [p.plate, p.well, p.site].map(encodeURIComponent).join("/");
    const link = element("a", null, { href: address(p), title: p.title, className: "crop" });
    const image = element("img", null, { alt: p.title, loading: "lazy", width: 96, height: 96 });
    if (!reason) image.src = `${data.screen}/images/${path}?crop=${p.left},${p.top},${edge},${edge}&level=${level}&format=jpeg`;
    else {
      image.src = `${data.screen}/thumbnails/${path}?format=jpeg`;
      Object.assign(image.style, { position: "absolute", width: `${(100 * width) / edge}%`, height: `${(100 * height) / edge}%`, maxWidth: "none", left: `${(-100 * p.left) / edge}%`, top: `${(-100 * p.top) / edge}%` });
    }
    link.append(image);
    return link;
  };
  let wish = 0;
  const showGallery = async (list) => {
    const gallery = document.getElementById("gallery"), title = document.getElementById("gallery-title"), own = (wish += 1);
    if (!data.hasPictures) { title.textContent = "Images: a table of features has none"; return; }
    const n = Math.min(list.length, MAX_TILES), part = Array.from({ length: n }, (_, k) => list[Math.floor(((k + 0.5) * list.length) / n)]);
    title.textContent = list.length > n ? `Images of ${n} of ${list.length} ${noun}s, evenly spaced in plate order` : "Images";
    if (data.tiles) { gallery.replaceChildren(...(data.pictures ? part.map(tileOf) : [])); return; }
    const sites = new Map();
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
    document.getElementById("selected").textContent = polygon.length > 2 ? `${list.length} of ${points.length} ${noun}s are selected${list.length > MAX_ROWS ? `; the table has the first ${MAX_ROWS}` : ""}` : "";
    document.getElementById("selection").hidden = !list.length;
    draw();
    // The points change at once; what is made of them follows in later frames.
    const own = (turn += 1);
    const steps = [() => showTable(list), () => showPlates(list), () => list.length && showGallery(list)];
    const next = () => { if (own === turn && steps.length) { steps.shift()(); setTimeout(next, 0); } };
    requestAnimationFrame(() => setTimeout(next, 0));
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
  canvas.addEventListener("pointerdown", (event) => { isDrawing = true; canvas.setPointerCapture(event.pointerId); polygon = [corner(event)]; });
  canvas.addEventListener("pointermove", (event) => { if (isDrawing) { polygon.push(corner(event)); requestAnimationFrame(drawLasso); } });
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
