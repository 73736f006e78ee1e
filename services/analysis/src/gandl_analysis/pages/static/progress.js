"use strict";
(() => {
  const card = document.getElementById("progress");
  const address = card?.dataset.status;
  if (!address) return;
  const bar = card.querySelector("progress");
  const running = new Set(["queued", "embedding", "analysing"]);
  let hasStatus = false;
  let start = null;
  let isLeaving = false;

  const write = (field, text) => {
    const element = card.querySelector(`[data-field="${field}"]`);
    if (element.textContent !== text) element.textContent = text;
  };
  // A report takes seconds to draw. A second reload would cancel the request for it and start it again.
  const leave = () => {
    if (isLeaving) return;
    isLeaving = true;
    events.close();
    location.reload();
  };
  // The pace since this page was opened; a few seconds must pass before it means something.
  const showPace = (sites, count) => {
    const element = card.querySelector('[data-field="pace"]');
    if (!element) return;
    const now = Date.now();
    start ??= { now, count };
    const seconds = (now - start.now) / 1000;
    const rate = (count - start.count) / seconds;
    if (seconds < 3 || !(rate > 0) || count >= sites) return;
    const left = Math.ceil((sites - count) / rate);
    const time = left < 90 ? `${left} s` : left < 5400 ? `${Math.round(left / 60)} min` : `${(left / 3600).toFixed(1)} h`;
    write("pace", `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} sites per second, about ${time} left.`);
  };
  const show = (status) => {
    hasStatus = true;
    if (!running.has(status.state)) return leave();
    const { sites, done, parked } = status.progress;
    bar.max = Math.max(sites, 1);
    bar.value = done + parked;
    write("percent", `${Math.floor((100 * (done + parked)) / Math.max(sites, 1))} %`);
    write("state", status.state);
    write("waiting", status.waiting ? `Waiting: ${status.waiting}` : "");
    card.querySelector('[data-field="waiting"]').hidden = !status.waiting;
    showPace(sites, done + parked);
    write("done", done.toLocaleString("en"));
    write("parked", parked.toLocaleString("en"));
  };
  const poll = async () => {
    if (isLeaving) return;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) return setTimeout(leave, 5000);
      show(await answer.json());
    } catch {
      write("state", "the server does not answer; trying again");
    }
    setTimeout(poll, 2000);
  };

  const events = new EventSource(`${address}/events`);
  const receive = (event) => show(JSON.parse(event.data));
  events.addEventListener("message", receive);
  events.addEventListener("status", receive);
  events.addEventListener("gone", leave);
  events.addEventListener("error", () => {
    if (isLeaving) return;
    if (hasStatus && events.readyState !== EventSource.CLOSED) return;
    events.close();
    poll();
  });
})();
