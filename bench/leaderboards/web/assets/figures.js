// The figures of the board, one at a time. A click on a mark opens the row of its entry.
function startFigures() {
  const templates = [...document.querySelectorAll("template.figure")];
  byId("figures").hidden = !templates.length;
  if (!templates.length) return;
  const figure = document.querySelector("#figures figure");
  const buttons = templates.map((template) => element("button", { type: "button", onclick: () => show(template) },
    template.content.querySelector("title").textContent));
  const show = (template) => {
    figure.replaceChildren(template.content.cloneNode(true));
    for (const [index, button] of buttons.entries()) {
      button.setAttribute("aria-pressed", String(templates[index] === template));
    }
  };
  byId("figure-choice").replaceChildren(...buttons);
  show(templates[0]);
  figure.addEventListener("click", (event) => {
    const entry = event.target.closest("[data-entry]")?.dataset.entry;
    if (entry && BOARD.rows.some((row) => row.entry === entry)) reveal(entry);
  });
}
