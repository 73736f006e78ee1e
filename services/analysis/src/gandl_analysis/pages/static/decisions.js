"use strict";
// Without this script all fields are shown, and those that the chosen level does not have are passed over.
(() => {
  const level = document.getElementById("level");
  if (!level) return;
  const fields = [...document.querySelectorAll("[data-levels]")];
  const show = () => {
    for (const field of fields) {
      const isPart = field.dataset.levels.split(" ").includes(level.value);
      field.hidden = !isPart;
      const input = field.querySelector("input");
      input.required = isPart && input.id !== "cell_line";
    }
  };
  level.addEventListener("change", show);
  show();
})();
