// Tooltips of cells: the meaning of a value, and the keys of its records.
function showTip(target, lines) {
  const tip = byId("tip");
  tip.replaceChildren(...lines.map((line) => element("div", {}, line)));
  tip.hidden = false;
  const box = target.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left), document.documentElement.clientWidth - own.width - 8);
  const below = box.bottom + 6;
  const top = below + own.height > innerHeight ? Math.max(8, box.top - own.height - 6) : below;
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
  target.setAttribute("aria-describedby", "tip");
}

function hideTip() {
  byId("tip").hidden = true;
  document.querySelector("[aria-describedby=tip]")?.removeAttribute("aria-describedby");
}

function recordLines(row, column) {
  const lines = [];
  for (const seed of row.seeds) {
    const isCost = column.group === "cost" || column.group === "code";
    const keys = isCost && seed.trainings.length ? seed.trainings
      : column.test ? [seed.evaluations[column.test]] : Object.values(seed.evaluations);
    const kind = isCost && seed.trainings.length ? "training" : "evaluation";
    const named = keys.filter(Boolean);
    const more = named.length > 3 ? ` and ${named.length - 3} more` : "";
    if (named.length) lines.push(`seed ${seed.seed}: ${kind} ${named.slice(0, 3).join(", ")}${more}`);
  }
  return lines.length > 5 ? [...lines.slice(0, 5), `and ${lines.length - 5} more seeds`] : lines;
}

function describe(cell) {
  const column = BOARD.columns.find((each) => each.key === cell.dataset.column);
  if (cell.dataset.row === undefined) return [`${column.heading}: ${column.about}`];
  const row = BOARD.rows[cell.dataset.row];
  return [`${column.heading}: ${column.about}`, ...recordLines(row, column)];
}

function startTips() {
  const region = byId("board");
  const over = (event) => {
    const cell = event.target.closest?.("[data-column]");
    if (cell && cell.dataset.column !== "entry") showTip(cell, describe(cell));
    else hideTip();
  };
  region.addEventListener("pointerover", over);
  region.addEventListener("pointerleave", hideTip);
  region.addEventListener("focusin", over);
  region.addEventListener("focusout", hideTip);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  document.addEventListener("scroll", hideTip, { passive: true });
}
