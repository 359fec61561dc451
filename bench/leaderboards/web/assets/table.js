// The table: sortable headings, one row per entry, one tab stop, and arrow keys to move between cells.
function bestRows(column) {
  if (column.higherIsBetter === null) return new Set();
  const means = column.values.map((value) => (Array.isArray(value) ? value[0] : null));
  const present = means.filter((mean) => mean !== null);
  const best = column.higherIsBetter ? Math.max(...present) : Math.min(...present);
  return new Set(means.keys().filter((index) => means[index] === best));
}

function heading(column) {
  const isSorted = view.sort.key === column.key;
  const arrow = !isSorted ? "" : view.sort.descending ? " ▼" : " ▲";
  const button = element("button", { type: "button", "data-column": column.key, onclick: () => sortBy(column) },
    column.heading, element("span", { "aria-hidden": "true" }, arrow));
  return element("th", {
    scope: "col",
    class: column.isText ? "" : "number",
    "aria-sort": isSorted ? (view.sort.descending ? "descending" : "ascending") : null,
  }, button);
}

function sortBy(column) {
  const same = view.sort.key === column.key;
  const descending = same ? !view.sort.descending : column.higherIsBetter === true;
  view.sort = { key: column.key, descending };
  view.page = 0;
  draw();
  document.querySelector(`thead [data-column="${CSS.escape(column.key)}"]`)?.focus();
}

function scoreCell(column, index, scale) {
  const value = column.values[index];
  const cell = element("td", {
    class: column.isText ? "" : "number", tabindex: "-1", "data-column": column.key, "data-row": index,
  });
  const match = /^(.*?)( \[.*\])$/.exec(column.cells[index]);
  if (!match || !Array.isArray(value)) {
    cell.append(column.cells[index]);
    return cell;
  }
  const mean = column.best.has(index) ? element("strong", {}, match[1]) : match[1];
  if (column.group !== "score") {
    cell.append(mean);
    return cell;
  }
  const bar = element("span", { class: "interval", "aria-hidden": "true" }, element("i"), element("b"));
  const at = (score) => 100 * (score - scale[0]) / (scale[1] - scale[0] || 1);
  bar.firstChild.style.left = `${at(value[1])}%`;
  bar.firstChild.style.width = `${at(value[2]) - at(value[1])}%`;
  bar.lastChild.style.left = `${at(value[0])}%`;
  cell.append(mean, element("span", { class: "ends" }, match[2]), bar);
  return cell;
}

function entryRow(index, columns, scale) {
  const row = BOARD.rows[index];
  const isOpen = view.open.has(row.entry);
  const box = element("input", {
    type: "checkbox", "aria-label": `Compare ${row.label}`, onchange: () => choose(row.entry),
  });
  box.checked = view.compared.includes(row.entry);
  box.disabled = !box.checked && view.compared.length === 2;
  const cells = columns.map((column) => {
    if (column.key !== "entry") return scoreCell(column, index, scale);
    const button = element("button", {
      type: "button", class: "entry", "aria-expanded": String(isOpen), "data-entry": row.entry,
      onclick: () => toggle(row.entry),
    }, row.label);
    return element("th", { scope: "row", "data-column": "entry", "data-row": index }, button);
  });
  const line = element("tr", { class: box.checked ? "compared" : "" }, element("td", { class: "choice" }, box), ...cells);
  if (!isOpen) return [line];
  const opened = element("tr", { class: "opened" },
    element("td", { colspan: columns.length + 1 }, details(index)));
  return [line, opened];
}

function drawTable() {
  const columns = visibleColumns();
  const indices = filteredRows();
  const pages = Math.max(1, Math.ceil(indices.length / PAGE_SIZE));
  view.page = Math.min(view.page, pages - 1);
  const visible = indices.slice(view.page * PAGE_SIZE, (view.page + 1) * PAGE_SIZE);
  const scored = BOARD.columns.filter((column) => column.group === "score");
  const ends = scored.flatMap((column) => column.values.filter(Boolean));
  const scale = [Math.min(...ends.map((end) => end[1])), Math.max(...ends.map((end) => end[2]))];
  const head = element("tr", {},
    element("td", { class: "choice" }, element("span", { class: "spoken" }, "Compare")), ...columns.map(heading));
  document.querySelector("#board thead").replaceChildren(head);
  const body = document.querySelector("#board tbody");
  const lines = visible.flatMap((index) => entryRow(index, columns, scale));
  const none = element("tr", {}, element("td", { colspan: columns.length + 1 }, "No entry matches the filters."));
  body.replaceChildren(...(lines.length ? lines : [none]));
  body.querySelector("td[tabindex]")?.setAttribute("tabindex", "0");
  drawPages(pages);
  drawStatus(indices.length, columns);
}

function drawStatus(count, columns) {
  const sorted = BOARD.columns.find((column) => column.key === view.sort.key);
  const order = view.sort.descending ? "descending" : "ascending";
  const hidden = columns.includes(sorted) ? "" : ", a column that is hidden";
  byId("status").textContent =
    `${count} of ${BOARD.rows.length} entries, sorted by ${sorted.heading}, ${order}${hidden}.`;
}

function drawPages(pages) {
  const buttons = [...Array(pages).keys()].map((page) => element("button", {
    type: "button", "aria-current": page === view.page ? "page" : null, "aria-label": `Page ${page + 1}`,
    onclick: () => {
      view.page = page;
      draw();
      byId("board").scrollIntoView();
      byId("pages").children[page]?.focus({ preventScroll: true });
    },
  }, String(page + 1)));
  byId("pages").replaceChildren(...(pages > 1 ? buttons : []));
}

function toggle(entry) {
  if (!view.open.delete(entry)) view.open.add(entry);
  draw();
  document.querySelector(`#board button[data-entry="${CSS.escape(entry)}"]`)?.focus();
}

// Open the row of an entry: go to its page, and reset the filters if they hide it.
function reveal(entry) {
  if (!filteredRows().some((index) => BOARD.rows[index].entry === entry)) resetFilters();
  const index = filteredRows().findIndex((each) => BOARD.rows[each].entry === entry);
  view.page = Math.floor(index / PAGE_SIZE);
  view.open.add(entry);
  draw();
  const button = document.querySelector(`#board button[data-entry="${CSS.escape(entry)}"]`);
  button?.scrollIntoView({ block: "center" });
  button?.focus({ preventScroll: true });
}

function moveFocus(event) {
  const cell = event.target.closest("td[tabindex], th button");
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const move = moves[event.key];
  if (!cell || !move || event.target.closest(".details")) return;
  const lines = [...document.querySelectorAll("#board tr:not(.opened)")].filter((line) => line.closest("table").parentElement.id === "board");
  const line = lines.indexOf(cell.closest("tr"));
  const column = [...cell.closest("tr").children].indexOf(cell.closest("td, th"));
  const target = lines[line + move[0]]?.children[column + move[1]];
  const focused = target?.querySelector("button, input") ?? target;
  if (!focused) return;
  event.preventDefault();
  if (focused.hasAttribute("tabindex")) {
    document.querySelector("#board td[tabindex='0']")?.setAttribute("tabindex", "-1");
    focused.setAttribute("tabindex", "0");
  }
  focused.focus();
}

function startTable() {
  for (const column of BOARD.columns) column.best = bestRows(column);
  for (const row of BOARD.rows) {
    row.searched = [row.label, row.origin, ...Object.values(row.facts)].join(" ").toLowerCase();
  }
  byId("board").addEventListener("keydown", moveFocus);
}
