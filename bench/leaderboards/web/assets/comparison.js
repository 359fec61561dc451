// The comparison of two entries: the paired test, and the samples on which they differ.
const MAX_DIFFERING = 20;

function choose(entry) {
  const isChosen = view.compared.includes(entry);
  view.compared = isChosen ? view.compared.filter((each) => each !== entry) : [...view.compared, entry];
  draw();
  const label = BOARD.rows.find((row) => row.entry === entry).label;
  document.querySelector(`#board input[aria-label="${CSS.escape(`Compare ${label}`)}"]`)?.focus();
}

function verdict(first, second) {
  for (const [a, b, difference, interval, p, outcome] of BOARD.pairs) {
    if (a === first && b === second) return { difference, interval, p, outcome };
  }
  return null;
}

function drawComparison() {
  const panel = byId("comparison");
  const indices = view.compared.map((entry) => BOARD.rows.findIndex((row) => row.entry === entry)).sort((a, b) => a - b);
  panel.hidden = !indices.length;
  const key = indices.join();
  if (panel.dataset.key === key) return;
  panel.dataset.key = key;
  if (indices.length < 2) {
    panel.replaceChildren(...indices.map((index) => element("p", {},
      `${BOARD.rows[index].label} is chosen; choose a second entry to compare it with.`)));
    return;
  }
  const [a, b] = indices.map((index) => BOARD.rows[index]);
  panel.replaceChildren(
    element("div", { class: "panel-head" }, element("h2", {}, `${a.label} or ${b.label}?`),
      element("button", { type: "button", onclick: () => { view.compared = []; draw(); byId("search").focus(); } }, "Close")),
    verdictText(a, b, verdict(...indices)),
    sideBySide(indices),
    differingSamples(a, b));
}

function verdictText(a, b, comparison) {
  if (!comparison) {
    return element("p", {}, "The two were not compared sample by sample: one of them is incomplete, or the board has too many entries. ",
      command("bench compare"), " compares two rows.");
  }
  const { difference, interval, p, outcome } = comparison;
  const words = {
    better: "is better than", worse: "is worse than", "no difference shown": "shows no difference from",
  }[outcome];
  const average = BOARD.average ? `, ${BOARD.average} over the test sets` : "";
  return element("p", { class: "verdict" }, element("strong", {}, `${b.label} ${words} ${a.label}`),
    `: ${difference} ${BOARD.metric.heading}${average}, 95 % interval ${interval}, p ${p.startsWith("<") ? p : `= ${p}`}, on the same samples.`);
}

function sideBySide(indices) {
  const names = indices.map((index) => BOARD.rows[index].label);
  const scored = BOARD.columns.filter((column) => column.higherIsBetter !== null);
  const rows = scored.map((column) => [column.heading, ...indices.map((index) => column.cells[index])]);
  return table("Scores of both", ["metric", ...names], rows);
}

function differingSamples(a, b) {
  const choices = [];
  for (const first of a.seeds) {
    const second = b.seeds.find((seed) => seed.seed === first.seed) ?? b.seeds[0];
    for (const [test, key] of Object.entries(first.evaluations)) {
      if (second?.evaluations[test]) {
        choices.push({ test, keys: [key, second.evaluations[test]], label: `${test}, seeds ${first.seed} and ${second.seed}` });
      }
    }
  }
  if (!choices.length) return null;
  const content = element("div", {});
  const show = (choice) => {
    const absent = choice.keys.find((key) => !hasRecord(key));
    if (absent) {
      content.replaceChildren(recordMissing(absent));
      return;
    }
    content.replaceChildren(element("p", { class: "soft" }, "loading …"));
    differences(choice, [a, b]).then(
      (children) => content.replaceChildren(...children),
      (error) => content.replaceChildren(element("p", {}, error.message)));
  };
  const select = element("select", { "aria-label": "Test set and seeds", onchange: () => show(choices[select.selectedIndex]) },
    ...choices.map((choice) => element("option", {}, choice.label)));
  show(choices[0]);
  return section("Samples that only one of the two reads correctly", PARTS ? select : null, content);
}

function wrongBits(text) {
  const bytes = atob(text);
  return Uint8Array.from(bytes, (letter) => letter.charCodeAt(0));
}

async function differences({ keys }, rows) {
  const errors = await Promise.all(keys.map((key) => part(`${key}-errors`)));
  const fault = errors.find((each) => each.fault);
  if (fault) return [element("p", {}, fault.fault)];
  if (errors[0].samples !== errors[1].samples) return [element("p", {}, "The two were not tested on the same samples.")];
  const bits = errors.map((each) => wrongBits(each.wrong));
  const wrongInOne = [[], []];
  const counts = [0, 0];
  for (let number = 0; number < errors[0].samples; number += 1) {
    const wrong = bits.map((each) => (each[number >> 3] >> (number & 7)) & 1);
    if (wrong[0] === wrong[1]) continue;
    const side = wrong[0] ? 0 : 1;
    counts[side] += 1;
    if (wrongInOne[side].length < MAX_DIFFERING) wrongInOne[side].push(number);
  }
  const blocks = [];
  for (const side of [0, 1]) {
    const size = errors[side].chunk;
    const chunkNumbers = [...new Set(wrongInOne[side].map((number) => Math.floor(number / size)))];
    const chunks = new Map(await Promise.all(chunkNumbers.map(async (chunk) => [chunk, await part(`${keys[side]}-${chunk}`)])));
    const lines = wrongInOne[side].map((number) => {
      const [id, reference, hypothesis] = chunks.get(Math.floor(number / size)).wrong[number] ?? ["", "", ""];
      return [id, reference, hypothesis || "(nothing)"];
    });
    const title = `Wrong only in ${rows[side].label}: ${counts[side]} of ${errors[side].samples}`
      + (counts[side] > lines.length ? `, the first ${lines.length}` : "");
    blocks.push(table(title, ["sample", "reference", "read as"], lines));
  }
  return [element("div", { class: "tables" }, ...blocks)];
}
