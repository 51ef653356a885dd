"use strict";
(() => {
  // Boards are shown and hidden by their boxes.
  for (const box of document.querySelectorAll("[data-toggles]")) {
    box.disabled = false;
    box.addEventListener("change", () => {
      for (const part of document.querySelectorAll('[data-board="' + box.dataset.toggles + '"]')) {
        part.classList.toggle("away", !box.checked);
      }
    });
  }
  // A trial that has the focus tells of itself as it does under the pointer.
  for (const dot of document.querySelectorAll(".dot")) {
    dot.addEventListener("focus", () => {
      const box = dot.getBoundingClientRect();
      dot.dispatchEvent(new PointerEvent("pointermove", {
        bubbles: true, clientX: box.left + box.width / 2, clientY: box.top + box.height / 2,
      }));
    });
    // The same trial in the other charts.
    dot.addEventListener("pointerenter", () => mark(dot.dataset.name, true));
    dot.addEventListener("pointerleave", () => mark(dot.dataset.name, false));
  }
  const mark = (name, is_marked) => {
    for (const dot of document.querySelectorAll(".dot")) {
      if (dot.dataset.name === name) {
        dot.classList.toggle("same", is_marked);
      }
    }
  };
})();
