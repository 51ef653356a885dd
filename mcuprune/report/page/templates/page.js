"use strict";
(() => {
  const root = document.documentElement;
  const tip = document.getElementById("tip");

  // Themes: what the system says, or what was chosen.
  const themes = ["auto", "light", "dark"];
  const button = document.getElementById("theme");
  let theme = 0;
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = (theme + 1) % themes.length;
    root.style.colorScheme = themes[theme] === "auto" ? "light dark" : themes[theme];
    button.textContent = "Theme: " + themes[theme];
  });

  // Without a script all charts stand one below the other; with one, some at a time.
  for (const tabs of document.querySelectorAll(".tabs")) {
    const show = (name, value) => {
      for (const part of tabs.querySelectorAll("[data-" + name + "]")) {
        part.hidden = part.dataset[name] !== value;
      }
    };
    for (const group of tabs.querySelectorAll("[data-switch]")) {
      const name = group.dataset.switch;
      const buttons = [...group.querySelectorAll("button")];
      const choose = (chosen) => {
        for (const each of buttons) {
          each.setAttribute("aria-pressed", String(each === chosen));
        }
        show(name, chosen.dataset.value);
      };
      for (const each of buttons) {
        each.addEventListener("click", () => choose(each));
      }
      choose(buttons[0]);
    }
    tabs.classList.add("switched");
  }

  // Names of what the pointer is on; the same tensor is marked wherever it is drawn.
  let marked = [];
  const mark = (target) => {
    for (const piece of marked) {
      piece.classList.remove("marked");
    }
    const block = target ? target.dataset.block : undefined;
    marked = block === undefined ? [] : [...document.querySelectorAll("[data-block]")].filter(
      (piece) => piece.dataset.block === block
    );
    if (target && block === undefined) {
      marked = [target];
    }
    for (const piece of marked) {
      piece.classList.add("marked");
    }
  };
  const place = (x, y) => {
    const gap = 14;
    const box = tip.getBoundingClientRect();
    const left = x + gap + box.width < window.innerWidth ? x + gap : x - gap - box.width;
    const top = y + gap + box.height < window.innerHeight ? y + gap : y - gap - box.height;
    tip.style.left = Math.max(4, Math.min(left, window.innerWidth - box.width - 4)) + "px";
    tip.style.top = Math.max(4, top) + "px";
  };
  const tell = (target, x, y) => {
    if (!target) {
      tip.hidden = true;
      mark(null);
      return;
    }
    if (tip.hidden || tip.firstElementChild.textContent !== target.dataset.name) {
      tip.firstElementChild.textContent = target.dataset.name;
      const lines = target.dataset.lines ? target.dataset.lines.split("\n") : [];
      tip.lastElementChild.replaceChildren(
        ...lines.map((line) => {
          const item = document.createElement("li");
          item.textContent = line;
          return item;
        })
      );
    }
    tip.hidden = false;
    mark(target);
    place(x, y);
  };
  const follow = (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-name]") : null;
    tell(target, event.clientX, event.clientY);
  };
  // In a chart that has the focus, arrows go from tensor to tensor.
  const walk = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const chart = document.activeElement;
    if (event.key === "Escape") {
      tell(null);
    }
    if (step === undefined || !chart.matches(".scroll-x")) {
      return;
    }
    const pieces = [...chart.querySelectorAll(".piece")];
    const next = pieces[(Number(chart.dataset.at ?? -1) + step + pieces.length) % pieces.length];
    chart.dataset.at = pieces.indexOf(next);
    const box = next.getBoundingClientRect();
    tell(next, box.left + box.width / 2, box.top + box.height / 2);
    event.preventDefault();
  };
  document.addEventListener("pointermove", follow);
  document.addEventListener("pointerdown", follow);
  document.addEventListener("keydown", walk);
  document.addEventListener("scroll", () => { tip.hidden = true; mark(null); }, { passive: true, capture: true });

  // Tables sort by what a heading's column holds; numbers begin with the largest.
  for (const table of document.querySelectorAll("table.sortable")) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      heading.querySelector("button").addEventListener("click", () => {
        const number = heading.classList.contains("num");
        const before = heading.getAttribute("aria-sort");
        const first = number && column > 0 ? "descending" : "ascending";
        const other = first === "ascending" ? "descending" : "ascending";
        const order = before === first ? other : first;
        const sign = order === "ascending" ? 1 : -1;
        const key = (row) => row.cells[column].dataset.value;
        const rows = [...table.tBodies[0].rows].sort((one, two) =>
          sign * (number ? key(one) - key(two) : key(one).localeCompare(key(two)))
        );
        table.tBodies[0].replaceChildren(...rows);
        for (const each of headings) {
          each.removeAttribute("aria-sort");
        }
        heading.setAttribute("aria-sort", order);
      });
    });
  }
})();
