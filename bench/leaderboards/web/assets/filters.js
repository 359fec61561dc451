// Filters of rows, and the choice of columns.
function resetFilters() {
  view.query = "";
  for (const name of FILTERS) view[name] = "";
}

function options(name) {
  const all = element("option", { value: "" }, name === "test" ? "all" : "any");
  return [all, ...filterValues(name).map((value) => element("option", { value }, value))];
}

function columnChoice() {
  const groups = [...new Set(BOARD.columns.map((column) => column.group))];
  return groups.map((group) => {
    const boxes = BOARD.columns.filter((column) => column.group === group && column.key !== "entry")
      .map((column) => {
        const box = element("input", { type: "checkbox", value: column.key, onchange: () => {
          if (!view.columns.delete(column.key)) view.columns.add(column.key);
          draw();
        } });
        return element("label", { title: column.about }, box, column.heading);
      });
    return element("fieldset", {}, element("legend", {}, group), ...boxes);
  });
}

function drawFilters() {
  byId("search").value = view.query;
  for (const name of FILTERS) byId(name).value = view[name];
  for (const box of byId("column-choice").querySelectorAll("input")) {
    box.checked = view.columns.has(box.value);
  }
}

function startFilters() {
  for (const name of FILTERS) {
    const select = byId(name);
    select.replaceChildren(...options(name));
    select.parentElement.hidden = select.options.length < 3;
    select.addEventListener("change", () => { view[name] = select.value; view.page = 0; draw(); });
  }
  byId("search").addEventListener("input", (event) => {
    view.query = event.target.value;
    view.page = 0;
    draw();
  });
  byId("reset").addEventListener("click", () => {
    location.hash = "";
    readAddress();
    draw();
  });
  byId("column-choice").replaceChildren(...columnChoice());
}
