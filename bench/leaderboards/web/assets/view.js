// What is shown: kept in the fragment of the address, so that a view can be linked.
const PAGE_SIZE = 40;
const FILTERS = ["test", "model", "loss", "origin"];
const FIRST_SORT = { key: "rank", descending: false };
const shownAtFirst = BOARD.columns.filter((column) => column.shown).map((column) => column.key);
const view = { query: "", test: "", model: "", loss: "", origin: "" };

function filterValues(name) {
  if (name === "test") return BOARD.tests.map((test) => test.name);
  return [...new Set(BOARD.rows.map((row) => row[name]))].filter(Boolean).sort();
}

function readAddress() {
  const kept = new URLSearchParams(location.hash.slice(1));
  view.query = kept.get("query") ?? "";
  // A board may have lost what an old link names.
  for (const name of FILTERS) view[name] = filterValues(name).includes(kept.get(name)) ? kept.get(name) : "";
  const sort = kept.get("sort");
  view.sort = sort ? { key: sort.replace(/^-/, ""), descending: sort.startsWith("-") } : FIRST_SORT;
  if (!BOARD.columns.some((column) => column.key === view.sort.key)) view.sort = FIRST_SORT;
  view.columns = new Set(kept.has("columns") ? [...kept.getAll("columns"), "entry"] : shownAtFirst);
  const entries = (name) => (kept.get(name) ?? "").split(",")
    .filter((entry) => BOARD.rows.some((row) => row.entry === entry));
  view.open = new Set(entries("open"));
  view.compared = entries("compare").slice(0, 2);
  view.page = Math.max(0, Number.parseInt(kept.get("page") ?? "1", 10) - 1 || 0);
}

function writeAddress() {
  const kept = new URLSearchParams();
  for (const name of ["query", ...FILTERS]) {
    if (view[name]) kept.set(name, view[name]);
  }
  if (view.sort.key !== FIRST_SORT.key || view.sort.descending) {
    kept.set("sort", `${view.sort.descending ? "-" : ""}${view.sort.key}`);
  }
  const chosen = BOARD.columns.map((column) => column.key).filter((key) => view.columns.has(key));
  // A parameter each: the name of a test set may have commas.
  if (chosen.join() !== shownAtFirst.join()) chosen.forEach((key) => kept.append("columns", key));
  if (view.open.size) kept.set("open", [...view.open].join());
  if (view.compared.length) kept.set("compare", view.compared.join());
  if (view.page) kept.set("page", view.page + 1);
  const fragment = kept.toString();
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
}

function visibleColumns() {
  return BOARD.columns.filter((column) => view.columns.has(column.key)
    && !(view.test && column.test && column.test !== view.test));
}

function sortValue(column, place) {
  const value = column.values[place];
  return Array.isArray(value) ? value[0] : value;
}

// The places of the rows that pass the filters, sorted; those without a value are last.
function chosenPlaces() {
  const words = view.query.toLowerCase().split(/\s+/).filter(Boolean);
  const passes = (row) => (!view.model || row.model === view.model)
    && (!view.loss || row.loss === view.loss)
    && (!view.origin || row.origin === view.origin)
    && words.every((word) => row.searched.includes(word));
  const places = BOARD.rows.map((_, place) => place).filter((place) => passes(BOARD.rows[place]));
  const column = BOARD.columns.find((each) => each.key === view.sort.key);
  const direction = view.sort.descending ? -1 : 1;
  return places.sort((a, b) => {
    const [first, second] = [sortValue(column, a), sortValue(column, b)];
    if (first === null || second === null) {
      return first === second ? a - b : first === null ? 1 : -1;
    }
    const order = typeof first === "string" ? first.localeCompare(second) : first - second;
    return direction * order || a - b;
  });
}
