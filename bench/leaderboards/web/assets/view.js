// The state of the page. It is written to the fragment of the URL, so that a view can be linked.
const PAGE_SIZE = 40;
const FILTERS = ["test", "model", "loss", "origin"];
const FIRST_SORT = { key: "rank", descending: false };
const defaultColumns = BOARD.columns.filter((column) => column.shown).map((column) => column.key);
const view = { query: "", test: "", model: "", loss: "", origin: "" };

function filterValues(name) {
  if (name === "test") return BOARD.tests.map((test) => test.name);
  return [...new Set(BOARD.rows.map((row) => row[name]))].filter(Boolean).sort();
}

function readAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  view.query = parameters.get("query") ?? "";
  // An old link may name values that the board no longer has.
  for (const name of FILTERS) view[name] = filterValues(name).includes(parameters.get(name)) ? parameters.get(name) : "";
  const sort = parameters.get("sort");
  view.sort = sort ? { key: sort.replace(/^-/, ""), descending: sort.startsWith("-") } : FIRST_SORT;
  if (!BOARD.columns.some((column) => column.key === view.sort.key)) view.sort = FIRST_SORT;
  view.columns = new Set(parameters.has("columns") ? [...parameters.getAll("columns"), "entry"] : defaultColumns);
  const entries = (name) => (parameters.get(name) ?? "").split(",")
    .filter((entry) => BOARD.rows.some((row) => row.entry === entry));
  view.open = new Set(entries("open"));
  view.compared = entries("compare").slice(0, 2);
  view.page = Math.max(0, Number.parseInt(parameters.get("page") ?? "1", 10) - 1 || 0);
}

function writeAddress() {
  const parameters = new URLSearchParams();
  for (const name of ["query", ...FILTERS]) {
    if (view[name]) parameters.set(name, view[name]);
  }
  if (view.sort.key !== FIRST_SORT.key || view.sort.descending) {
    parameters.set("sort", `${view.sort.descending ? "-" : ""}${view.sort.key}`);
  }
  const chosen = BOARD.columns.map((column) => column.key).filter((key) => view.columns.has(key));
  // One parameter per column, because the name of a test set may have commas.
  if (chosen.join() !== defaultColumns.join()) chosen.forEach((key) => parameters.append("columns", key));
  if (view.open.size) parameters.set("open", [...view.open].join());
  if (view.compared.length) parameters.set("compare", view.compared.join());
  if (view.page) parameters.set("page", view.page + 1);
  const fragment = parameters.toString();
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
}

function visibleColumns() {
  return BOARD.columns.filter((column) => view.columns.has(column.key)
    && !(view.test && column.test && column.test !== view.test));
}

function sortValue(column, index) {
  const value = column.values[index];
  return Array.isArray(value) ? value[0] : value;
}

// The indices of the rows that match the filters, sorted; rows without a value are last.
function filteredRows() {
  const words = view.query.toLowerCase().split(/\s+/).filter(Boolean);
  const passes = (row) => (!view.model || row.model === view.model)
    && (!view.loss || row.loss === view.loss)
    && (!view.origin || row.origin === view.origin)
    && words.every((word) => row.searched.includes(word));
  const indices = BOARD.rows.map((_, index) => index).filter((index) => passes(BOARD.rows[index]));
  const column = BOARD.columns.find((each) => each.key === view.sort.key);
  const direction = view.sort.descending ? -1 : 1;
  return indices.sort((a, b) => {
    const [first, second] = [sortValue(column, a), sortValue(column, b)];
    if (first === null || second === null) {
      return first === second ? a - b : first === null ? 1 : -1;
    }
    const order = typeof first === "string" ? first.localeCompare(second) : first - second;
    return direction * order || a - b;
  });
}
