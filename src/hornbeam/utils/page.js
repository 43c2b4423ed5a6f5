// Pages of runs: tables that sort and filter, rows that charts know, and live pages.
"use strict";
(() => {
  const state = new Map(); // what was chosen for each table, kept when it is replaced

  const chosen = (name) => {
    if (!state.has(name)) state.set(name, { column: null, down: false, filter: "" });
    return state.get(name);
  };
  const words = (row, column) => row.cells[column].textContent.trim();
  const number = (text) => {
    const found = /^[±]?\s*(-?[\d.,]+(?:e[-+]?\d+)?)/i.exec(text);
    return found ? Number(found[1].replaceAll(",", "")) : NaN;
  };

  const compare = (one, other) => {
    const [a, b] = [number(one), number(other)];
    if (Number.isNaN(a) && Number.isNaN(b)) return one.localeCompare(other);
    if (Number.isNaN(a) || Number.isNaN(b)) return null; // no number: always last
    return a - b;
  };

  const sort = (table) => {
    const { column, down } = chosen(table.dataset.table);
    if (column === null) return;
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((row, other) => {
      const [one, two] = [words(row, column), words(other, column)];
      const order = compare(one, two);
      if (order === null) return Number.isNaN(number(one)) ? 1 : -1;
      return down ? -order : order;
    });
    body.append(...rows);
    [...table.tHead.rows[0].cells].forEach((cell, place) => {
      if (place === column) {
        cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      } else cell.removeAttribute("aria-sort");
    });
  };

  // A filter is words that a row holds, or conditions such as `units>=32`.
  const condition = (part, headings) => {
    const found = /^(.+?)(<=|>=|<|>|=)(.+)$/.exec(part);
    const column = found ? headings.indexOf(found[1].toLowerCase()) : -1;
    if (column < 0) {
      return (row) => row.textContent.toLowerCase().includes(part.toLowerCase());
    }
    const [operator, wanted] = [found[2], found[3]];
    return (row) => {
      const cell = words(row, column);
      const order = compare(cell, wanted);
      if (operator === "=") return order === 0;
      if (order === null) return false;
      if (order === 0) return operator.length === 2;
      return operator[0] === "<" ? order < 0 : order > 0;
    };
  };

  const filter = (table) => {
    const name = table.dataset.table;
    const headings = [...table.tHead.rows[0].cells].map((cell) =>
      cell.textContent.trim().toLowerCase(),
    );
    const text = chosen(name).filter.replace(/\s*(<=|>=|<|>|=)\s*/g, "$1").trim();
    const conditions = text ? text.split(/\s+/).map((x) => condition(x, headings)) : [];
    const shown = new Map();
    for (const row of table.tBodies[0].rows) {
      row.hidden = !conditions.every((holds) => holds(row));
      shown.set(row.dataset.row, !row.hidden);
    }
    for (const mark of document.querySelectorAll("svg [data-row]")) {
      mark.classList.toggle("hb-off", shown.get(mark.dataset.row) === false);
    }
    const count = document.querySelector(`[data-count="${CSS.escape(name)}"]`);
    const left = [...shown.values()].filter(Boolean).length;
    if (count) count.textContent = text ? `${left} of ${shown.size}` : "";
  };

  const restore = () => {
    for (const table of document.querySelectorAll("table[data-table]")) {
      const name = table.dataset.table;
      const field = document.querySelector(`[data-for="${CSS.escape(name)}"]`);
      if (field && field !== document.activeElement) field.value = chosen(name).filter;
      sort(table);
      filter(table);
    }
  };

  document.addEventListener("click", (event) => {
    const cell = event.target.closest("table[data-table] th");
    if (!cell || !cell.firstElementChild) return;
    const table = cell.closest("table");
    const choice = chosen(table.dataset.table);
    choice.down = choice.column === cell.cellIndex && !choice.down;
    choice.column = cell.cellIndex;
    sort(table);
  });

  document.addEventListener("input", (event) => {
    const name = event.target.dataset.for;
    if (name === undefined) return;
    chosen(name).filter = event.target.value;
    filter(document.querySelector(`table[data-table="${CSS.escape(name)}"]`));
  });

  document.addEventListener("pointerover", (event) => {
    const row = event.target.closest("[data-row]")?.dataset.row;
    for (const mark of document.querySelectorAll(".hb-on")) {
      if (mark.dataset.row !== row) mark.classList.remove("hb-on");
    }
    if (row === undefined) return;
    for (const mark of document.querySelectorAll(`[data-row="${CSS.escape(row)}"]`)) {
      mark.classList.add("hb-on");
    }
  });

  // Show sections `[id, HTML or null where it is as before]`, and no others.
  const show = (sections) => {
    const main = document.querySelector("main");
    const found = new Map([...main.querySelectorAll("section")].map((x) => [x.id, x]));
    const order = sections.map(([id, content]) => {
      const section = found.get(id) ?? document.createElement("section");
      section.id = id;
      if (content !== null) section.innerHTML = content;
      return section;
    });
    const wanted = new Set(order);
    for (const section of found.values()) if (!wanted.has(section)) section.remove();
    const present = [...main.querySelectorAll("section")];
    if (order.some((section, place) => section !== present[place])) {
      main.append(...order);
    }
    restore();
  };

  // A live page asks for the sections that have changed.
  const live = async () => {
    let version = 0;
    let failures = 0;
    let wait = 1000;
    const status = document.getElementById("status");
    while (failures < 60) {
      try {
        const answer = await fetch(`state?since=${version}`, { cache: "no-store" });
        if (!answer.ok) throw new Error(answer.statusText);
        const news = await answer.json();
        failures = 0;
        version = news.version;
        wait = news.wait;
        status.textContent = news.status;
        if (news.sections) show(news.sections);
        if (news.ended) return;
      } catch {
        failures += 1;
        status.textContent = "no answer from the program";
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  };
  if ("live" in document.body.dataset) live();
})();
