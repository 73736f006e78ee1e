"use strict";
(() => {
  const card = document.getElementById("progress");
  const address = card?.dataset.status;
  if (!address) return;
  const bar = card.querySelector("progress");
  const running = new Set(["queued", "embedding", "analysing"]);
  let told = false;

  const put = (field, text) => {
    const place = card.querySelector(`[data-field="${field}"]`);
    if (place.textContent !== text) place.textContent = text;
  };
  const show = (status) => {
    told = true;
    if (!running.has(status.state)) return location.reload();
    const { sites, done, parked } = status.progress;
    bar.max = Math.max(sites, 1);
    bar.value = done + parked;
    put("percent", `${Math.floor((100 * (done + parked)) / Math.max(sites, 1))} %`);
    put("state", status.state);
    put("done", done.toLocaleString("en"));
    put("parked", parked.toLocaleString("en"));
  };
  const poll = async () => {
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) return setTimeout(() => location.reload(), 5000);
      show(await answer.json());
    } catch {
      put("state", "no answer, trying again");
    }
    setTimeout(poll, 2000);
  };

  const events = new EventSource(`${address}/events`);
  const take = (event) => show(JSON.parse(event.data));
  events.addEventListener("message", take);
  events.addEventListener("status", take);
  events.addEventListener("gone", () => location.reload());
  events.addEventListener("error", () => {
    if (told && events.readyState !== EventSource.CLOSED) return;
    events.close();
    poll();
  });
})();
