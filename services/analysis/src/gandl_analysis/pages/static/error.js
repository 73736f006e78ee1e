"use strict";
// A form that was refused comes back as it was filled in. Without this script the link opens an empty one.
document.getElementById("back").addEventListener("click", (event) => {
  if (history.length < 2) return;
  event.preventDefault();
  history.back();
});
