"use strict";
// A form that was refused comes back as it was filled in. Without this script the link opens an empty one, as it must
// where the token of the form is too old: the form that comes back would have the same token.
document.getElementById("back").addEventListener("click", (event) => {
  if (history.length < 2) return;
  event.preventDefault();
  history.back();
});
